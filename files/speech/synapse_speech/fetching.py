"""Fetches Piper's voices that are not there yet; a voice is there whole, or not at all."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from piper.download_voices import download_voice

from synapse_speech.config import files

MIB = 1024**2


def main() -> int:
    """Return 0 when every voice is there, else 1 after a sentence about each that is not."""
    parser = argparse.ArgumentParser(prog="synapse_speech.fetching", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the voices are to be")
    parser.add_argument("--offline", action="store_true", help="fetch nothing, only look")
    parser.add_argument("voices", nargs="+", help="such as en_US-lessac-medium")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    faults = [fault for voice in options.voices if (fault := _obtain(voice, options))]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _obtain(voice: str, options: argparse.Namespace) -> str:
    """Return a sentence when a voice is not there and cannot be had, else nothing."""
    wanted = files(options.folder, voice)
    if all(file.is_file() for file in wanted):
        return ""
    if options.offline:
        return f"The voice {voice} is not in {options.folder}, and nothing may be fetched."
    partial = options.folder / f"{voice}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    print(f"fetching the voice {voice} ...", flush=True)
    began_s = time.monotonic()
    try:
        download_voice(voice, partial)
        size = sum(file.stat().st_size for file in files(partial, voice)) / MIB
        # What is known of a voice comes first: a model alone would be loaded without it.
        for file in reversed(files(partial, voice)):
            file.rename(options.folder / file.name)
    except (OSError, ValueError) as error:
        return f"The voice {voice} cannot be fetched: {error}"
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    print(f"{voice}: {size:.0f} MiB in {time.monotonic() - began_s:.0f} s", flush=True)
    return ""


if __name__ == "__main__":
    sys.exit(main())
