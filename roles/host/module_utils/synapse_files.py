"""Files that are there whole or not at all, after a power cut too. For modules of every role."""

from __future__ import annotations

import os
from pathlib import Path


def write(place: Path, content: str | bytes, mode: int) -> None:
    """Replace a file in one step, and see it on the disk. What was there stays where this fails."""
    make_folder(place.parent)
    part = place.with_name(f".{place.name}.part")
    # Nobody else reads it in between either.
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content.encode() if isinstance(content, str) else content)
        settle(part, place, mode)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def settle(part: Path, place: Path, mode: int) -> None:
    """Give a file that is whole its mode and its name."""
    part.chmod(mode)
    with part.open("rb") as opened:
        os.fsync(opened.fileno())
    os.replace(part, place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for all to look into, whatever root's umask is."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)
