"""Who holds which key: a folder with one file per application, read again when it changes."""

from __future__ import annotations

import hashlib
from pathlib import Path


class KeyRing:
    """The application of every key; only digests stay in memory.

    Kubernetes replaces a mounted Secret's files as one: a rotated key is valid, and the old one
    is not, from the next `refresh` on.
    """

    def __init__(self, folder: Path) -> None:
        """Read the folder for the first time."""
        self._folder = folder
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._apps: dict[bytes, str] = {}
        self.refresh()

    def app_of(self, key: str) -> str | None:
        """Return the application that holds the key, None if nobody does."""
        return self._apps.get(_digest(key))

    def refresh(self) -> None:
        """Read the keys again if a file changed, came or went."""
        files = sorted(file for file in self._folder.iterdir() if not file.name.startswith("."))
        seen = tuple((file.name, file.stat().st_mtime_ns, file.stat().st_ino) for file in files)
        if seen == self._seen:
            return
        keys = ((file.name, file.read_text().strip()) for file in files)
        self._apps = {_digest(key): app for app, key in keys if key}
        self._seen = seen


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
