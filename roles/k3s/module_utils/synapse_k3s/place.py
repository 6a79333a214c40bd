"""Put a verified release of K3s in place, whole; in steps that can be cut."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.synapse_files import settle, write

from .fault import K3sError
from .release import CHECKSUMS, RESTART, STAGING, Files, sha256, sums
from .steps import Step, take

RECORD = "etc/synapse/server.json"
LINKS = ("kubectl", "crictl", "ctr")
# What K3s makes in its folder, and what goes with it.
OF_K3S = ("data", "server/db")


class Placing(Files):
    """A release on its way from where it was verified to where it is run."""

    def __init__(self, args: dict[str, Any], root: Path = Path("/")) -> None:
        """Take the module's arguments; `root` is / but in a test."""
        super().__init__(args, root)
        self.done: list[str] = []

    def steps(self) -> Iterator[Step]:
        """Yield each step's name, whether it is needed, and how it is done, in their order."""
        yield "record whose K3s it is", self._lacks_record, self._record
        yield "keep the checksums", self._lacks_sums, self._keep_sums
        yield f"put {self.images} in place", *self._place(self.images)
        yield "note the restart", self._lacks_note, self._note
        yield f"put {self.binary} in place", *self._place(self.binary)
        yield f"link {', '.join(LINKS)}", lambda: bool(self._unlinked()), self._link
        yield "remove what was fetched", (self.root / STAGING).exists, self._clean

    def go(self, check: bool = False) -> None:
        """Do every step that is needed; with `check`, only tell which ones are."""
        take(self.steps(), self.done, check)

    def _recorded(self) -> dict[str, Any]:
        file = self.root / RECORD
        try:
            found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        except ValueError:
            raise K3sError(
                f"/{RECORD} is damaged, so nobody knows whose K3s is here. Write "
                '{"was_lived_in": true} into it, or false for a server that was empty, and run '
                "again."
            ) from None
        return found

    def _lacks_record(self) -> bool:
        recorded = self._recorded().get("k3s")
        if not recorded:
            self._refuse_what_is_there()
        return bool(recorded != self.version)

    def _refuse_what_is_there(self) -> None:
        """Raise K3sError where K3s would mix its data with another's, and take it along one day."""
        for name in OF_K3S:
            if (self.data_dir / name).exists():
                raise K3sError(
                    f"/{(self.data_dir / name).relative_to(self.root)} is there, and Synapse did "
                    "not install a K3s: its data would lie among what is somebody's. Nothing was "
                    "put in place. Move it away, or name another folder as synapse_disks.images."
                )

    def _record(self) -> None:
        """Say that K3s here is ours before anything of it is in place: what broke off is, too."""
        made = {**self._recorded(), "k3s": self.version}
        write(self.root / RECORD, json.dumps(made, indent=2, sort_keys=True) + "\n", 0o644)

    def _sums(self) -> str:
        """Return the verified file of checksums, of this run or of an earlier one."""
        for file in (self.staging / self.checksums, self.root / CHECKSUMS):
            if file.is_file():
                return file.read_text()
        return ""

    def _lacks_sums(self) -> bool:
        kept = self.root / CHECKSUMS
        return not kept.is_file() or kept.read_text() != self._sums()

    def _keep_sums(self) -> None:
        write(self.root / CHECKSUMS, self._sums(), 0o644)

    def _is_right(self, file: Path, name: str) -> bool:
        return sums(self._sums()).get(name) == sha256(file)

    def _place(self, name: str) -> tuple[Callable[[], bool], Callable[[], None]]:
        place = self.places[name]

        def do() -> None:
            part = place.with_name(f".{name}.part")
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(self.staging / name, part)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            if not self._is_right(part, name):
                part.unlink()
                shutil.rmtree(self.staging)
                raise K3sError(
                    f"{self.staging / name} changed after it was verified. It was deleted and is "
                    "not in place; run again."
                )
            settle(part, place, 0o755 if name == self.binary else 0o644)

        return lambda: not self._is_right(place, name), do

    def _lacks_note(self) -> bool:
        is_new = not self._is_right(self.places[self.binary], self.binary)
        return is_new and not (self.root / RESTART).exists()

    def _note(self) -> None:
        write(self.root / RESTART, "K3s' program was replaced.\n", 0o644)

    def _unlinked(self) -> list[Path]:
        """Return the links that are missing; a program of that name that is here stays."""
        folders = [self.root / "usr/local/bin", self.root / "usr/bin"]
        return [
            folders[0] / name
            for name in LINKS
            if not any(os.path.lexists(folder / name) for folder in folders)
        ]

    def _link(self) -> None:
        for place in self._unlinked():
            place.symlink_to("k3s")

    def _clean(self) -> None:
        shutil.rmtree(self.root / STAGING)
