"""Packages from PyPI, each pinned by version and hash in `downloads.txt`."""

import os
import sys
from pathlib import Path

from synapse_testbed.commands import TestbedError, run

PINS = Path(__file__).parent.parent / "downloads.txt"
LIMIT_S = 600


def pin(package: str) -> str:
    """Return the line of `downloads.txt` that pins a package."""
    for line in PINS.read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line
    raise TestbedError(
        f"{PINS} pins no version of {package}: add a line `{package}==... --hash=...`"
    )


def fetch(package: str, folder: Path) -> Path:
    """Download one package, as it was published, into a folder; return the file."""
    folder.mkdir()
    wanted = folder / "pin.txt"
    wanted.write_text(pin(package) + "\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    run(
        [*pip, "--dest", str(folder), "--requirement", str(wanted)],
        env=_certificates(),
        limit_s=LIMIT_S,
    )
    wanted.unlink()
    return next(folder.iterdir())


def _certificates() -> dict[str, str]:
    """Return what makes pip trust what this host trusts: it alone does not read SSL_CERT_FILE."""
    bundle = os.environ.get("SSL_CERT_FILE")
    return {"PIP_CERT": bundle} if bundle and "PIP_CERT" not in os.environ else {}
