"""Installs what the speech server runs with, once: the folder is there whole, or not at all.

It runs before the libraries are there, so it needs nothing but Python and pip.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

LIMIT_S = 1200


def main() -> int:
    """Return 0 when the folder holds every library."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requirements", type=Path, required=True, help="pinned, with hashes")
    parser.add_argument("--folder", type=Path, required=True, help="where they are to be")
    options = parser.parse_args()
    if options.folder.exists():
        return 0
    print(f"installing the speech server's libraries into {options.folder} ...", flush=True)
    began_s = time.monotonic()
    partial = options.folder.with_name(f"{options.folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-compile"]
    pip += ["--require-hashes", "--target", str(partial), "--requirement"]
    try:
        ended = subprocess.run([*pip, str(options.requirements)], check=False, timeout=LIMIT_S)  # noqa: S603  (pip, with our own list)
    except subprocess.TimeoutExpired:
        print(f"the libraries could not be installed within {LIMIT_S} s", file=sys.stderr)
        return 1
    if ended.returncode != 0:
        print("the libraries could not be installed; the lines above are pip's", file=sys.stderr)
        return 1
    partial.rename(options.folder)
    print(f"installed in {time.monotonic() - began_s:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
