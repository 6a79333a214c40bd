"""The files of a release of K3s: their names, their checksums, and where they lie."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

STAGING = "var/cache/synapse/k3s"
CHECKSUMS = "etc/synapse/k3s-sha256sum.txt"
BINARY = "usr/local/bin/k3s"
# Two modules write it. A start of the machine takes it away, and starts K3s anew.
RESTART = "run/synapse/k3s-restart"
PIECE = 1 << 20


class Files:
    """One release: where it lies until it is verified, and where it is going to be."""

    def __init__(self, args: dict[str, Any], root: Path = Path("/")) -> None:
        """Name the files; `root` is / but in a test."""
        self.root, self.version = root, str(args["version"])
        architecture = args["architecture"]
        self.binary = "k3s" if architecture == "amd64" else f"k3s-{architecture}"
        self.images = f"k3s-airgap-images-{architecture}.tar.zst"
        self.checksums = f"sha256sum-{architecture}.txt"
        self.staging = root / STAGING / self.version
        self.data_dir = root / str(args["data_dir"]).lstrip("/")
        folder = self.data_dir / "agent/images"
        self.places = {self.binary: root / BINARY, self.images: folder / self.images}


def sums(text: str) -> dict[str, str]:
    """Return the checksums of a file as sha256sum writes it, by name."""
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {one[1].lstrip("*").split("/")[-1]: one[0].lower() for one in lines if len(one) == 2}


def sha256(file: Path) -> str:
    """Return a file's checksum; empty where there is none."""
    if not file.is_file():
        return ""
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            found.update(piece)
    return found.hexdigest()
