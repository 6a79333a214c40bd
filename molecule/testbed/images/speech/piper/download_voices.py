"""Stands in for the download of a voice; one with `missing` in its name does not exist."""

import json
import re
from pathlib import Path
from urllib.error import URLError

PATTERN = re.compile(r"(?P<language>[a-z]+)_(?P<region>[A-Z]+)-[^-]+-.+")
RATE = 22050


def download_voice(voice: str, download_dir: Path, force_redownload: bool = False) -> None:
    """Leave the two files of a voice in a folder."""
    found = PATTERN.fullmatch(voice)
    if not found:
        raise ValueError(f"Voice '{voice}' did not match pattern: <language>-<name>-<quality>")
    if "missing" in voice:
        raise URLError("HTTP Error 404: Not Found")
    language, region = found["language"], found["region"]
    # Of espeak-ng's voices the one that the listener beside it understands best.
    spoken = "en-us+f2" if (language, region) == ("en", "US") else language
    facts = {
        "audio": {"sample_rate": RATE},
        "espeak": {"voice": spoken},
        "language": {"code": f"{language}_{region}"},
    }
    (download_dir / f"{voice}.onnx").write_text("simulated\n")
    (download_dir / f"{voice}.onnx.json").write_text(json.dumps(facts))
