"""Record a running server: python -m vllm_recorder http://127.0.0.1:8000."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import get_args

from vllm_recorder import FOLDER, record, save
from vllm_recorder.battery import Kind


def main() -> int:
    """Return 0 once the recording is written."""
    parser = argparse.ArgumentParser(prog="vllm_recorder", description=__doc__, allow_abbrev=False)
    parser.add_argument("url", help="where the server answers; it needs VLLM_SERVER_DEV_MODE=1")
    parser.add_argument("--kind", choices=get_args(Kind), default="generate")
    parser.add_argument("--out", type=Path, help="default: VERSION-KIND.json among the fixtures")
    options = parser.parse_args()
    recording = asyncio.run(record(options.url, options.kind))
    path = options.out or FOLDER / f"{recording.version}-{recording.kind}.json"
    save(recording, path)
    print(f"{len(recording.answers)} answers of vLLM {recording.version} are in {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
