#!/usr/bin/env python3
"""Stands in for Hugging Face's command: `hf download OWNER/NAME` leaves a mark, no weights.

A name with "missing" in it is a repository that does not exist.
"""

import argparse
import os
import sys
import time
from pathlib import Path

STEPS, STEP_S = 4, 0.25


def main() -> int:
    """Return 0 when the repository is there, downloaded now or before."""
    parser = argparse.ArgumentParser(prog="hf", description=__doc__, allow_abbrev=False)
    parser.add_argument("command", choices=["download"])
    parser.add_argument("repository")
    repository = parser.parse_known_args()[0].repository
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    mark = home / "hub" / f"models--{repository.replace('/', '--')}" / "refs" / "main"
    if mark.exists():
        return 0
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        return _refuse(
            f"Cannot find {repository} in the local cache, and outgoing traffic is disabled "
            "(HF_HUB_OFFLINE=1)."
        )
    if "missing" in repository:
        return _refuse(f"Repository Not Found: https://huggingface.co/{repository}")
    for step in range(1, STEPS + 1):
        time.sleep(STEP_S)
        print(f"{repository}: {100 * step // STEPS} %", flush=True)
    mark.parent.mkdir(parents=True, exist_ok=True)
    partial = mark.with_name(f"main.{os.getpid()}.incomplete")
    partial.write_text("simulated\n")
    partial.replace(mark)
    return 0


def _refuse(sentence: str) -> int:
    print(f"Error: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
