"""Fetch a release of K3s into a folder of its own and verify it."""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.synapse_files import settle, write

from .fault import K3sError
from .release import CHECKSUMS, Files, sha256, sums
from .transfer import download


class Release(Files):
    """A release on its way from where it is published to a folder of its own."""

    def __init__(self, args: dict[str, Any], root: Path = Path("/")) -> None:
        """Take the module's arguments; `root` is / but in a test."""
        super().__init__(args, root)
        self.args = args
        self.changed: list[str] = []

    def url(self, name: str) -> str:
        """Return a file's address: the + of a version has a meaning of its own in one."""
        base = str(self.args["url"]).rstrip("/")
        if not base.startswith(("http://", "https://")):
            raise K3sError(f"k3s_download_url is {base}, and no address of http:// or https://.")
        if "@" in urllib.parse.urlsplit(base).netloc:
            raise K3sError(
                "k3s_download_url holds a password, which would stand in the server's log. Take "
                "it out: what lies there is public, and is verified by its checksums."
            )
        return f"{base}/{urllib.parse.quote(self.version, safe='')}/{name}"

    def steps(self) -> Iterator[Any]:
        """Yield what is done, in its order; each can be the last, and all can be done again."""
        yield self.fetch_checksums
        yield lambda: self.fetch(self.images)
        yield lambda: self.fetch(self.binary)

    def known(self) -> dict[str, str]:
        """Return the checksums that were verified and kept; empty: none of this version."""
        for file in (self.staging / self.checksums, self.root / CHECKSUMS):
            version, _, text = (file.read_text() if file.is_file() else "").partition("\n")
            if version == f"# {self.version}" and self._names_all(text) and self._is_pinned(text):
                return sums(text)
        return {}

    def _is_pinned(self, text: str) -> bool:
        pinned = str(self.args["checksums_sha256"]).lower()
        return pinned in ("", hashlib.sha256(text.encode()).hexdigest())

    def _names_all(self, text: str) -> bool:
        return all(len(sums(text).get(name, "")) == 64 for name in self.places)

    def fetch_checksums(self) -> None:
        """Fetch the file of checksums, unless one of this version was kept."""
        if self.known():
            return
        part = self.staging / f"{self.checksums}.part"
        download(self.url(self.checksums), part, self.args["stall_s"], goes_on=False)
        text, seen = part.read_text(errors="replace"), sha256(part)
        part.unlink()
        if not self._is_pinned(text):
            raise K3sError(
                f"{self.url(self.checksums)} has the checksum {seen}, and k3s_checksums_sha256 is "
                f"{self.args['checksums_sha256']}: it was changed on its way or at its source, or "
                "is another version's. Nothing was put in place. Run again, or look at both."
            )
        if not self._names_all(text):
            raise K3sError(
                f"{self.url(self.checksums)} does not name {' and '.join(self.places)}: it is not "
                f"the file of checksums of K3s {self.version}. Nothing was put in place; look at "
                "k3s_version and k3s_download_url."
            )
        write(self.staging / self.checksums, f"# {self.version}\n{text}", 0o644)

    def is_there(self, name: str) -> bool:
        """Tell whether a file lies in place, or here, with the right checksum."""
        wanted = self.known().get(name)
        return wanted in (sha256(self.places[name]), sha256(self.staging / name))

    def fetch(self, name: str) -> None:
        """Fetch one file and verify it; one that is wrong is deleted."""
        if self.is_there(name):
            return
        part = self.staging / f"{name}.part"
        download(self.url(name), part, self.args["stall_s"])
        wanted, seen = self.known()[name], sha256(part)
        if seen != wanted:
            # Either may be the wrong one.
            part.unlink()
            (self.staging / self.checksums).unlink(missing_ok=True)
            raise K3sError(
                f"{self.url(name)} has the checksum {seen}, and {self.checksums} says {wanted}: it "
                "was changed on its way or at its source. It was deleted, and nothing was put in "
                "place. Run again, or look at k3s_download_url."
            )
        settle(part, self.staging / name, 0o644)
        self.changed.append(f"fetched {name}")
