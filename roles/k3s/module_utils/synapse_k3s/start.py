"""Write the files of K3s and start it, or start it anew where a file changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.synapse_files import write

from .fault import K3sError
from .release import RESTART
from .steps import Step, take

UNIT = "etc/systemd/system/k3s.service"
# How our own files begin; one that begins otherwise is its owner's.
MARK = "# Written by Synapse"
Run = Callable[..., str]


class Starting:
    """The files of K3s on a server, and its unit."""

    def __init__(self, args: dict[str, Any], root: Path, run: Run) -> None:
        """Take the module's arguments; `root` and `run` are those of the machine but in a test."""
        self.root, self.run = root, run
        self.is_ours, self.may_restart = bool(args["is_ours"]), bool(args["may_restart"])
        self.shown_files = list(args["files"])
        self.secret_files = json.loads(args["secret_files"])
        self.files = [*args["files"], *self.secret_files]
        self.done: list[str] = []
        self.diff: list[dict[str, str]] = []
        self.is_stale = False

    def steps(self) -> Iterator[Step]:
        """Yield each step's name, whether it is needed, and how it is done, in their order."""
        yield "note the restart", self._lacks_note, self._note
        for file in self.files:
            verb = "remove" if is_absent(file) else "write"
            yield f"{verb} {file['path']}", *self._file(file)
        yield "reload systemd", self._needs_reload, lambda: self._systemctl("daemon-reload")
        if self.is_ours:
            yield "enable k3s", self._is_disabled, lambda: self._systemctl("enable", "k3s")
        yield "start k3s", self._needs_start, self._start

    def go(self, check: bool = False) -> None:
        """Do every step that is needed; with `check`, only tell which ones are."""
        take(self.steps(), self.done, check)

    def _lacks_note(self) -> bool:
        self._refuse_what_is_not_ours()
        changes = any(file["restarts"] and self._differs(file) for file in self.files)
        is_noted = (self.root / RESTART).exists()
        self.is_stale = changes or is_noted
        return changes and not is_noted

    def _refuse_what_is_not_ours(self) -> None:
        for file in self.secret_files:
            place = self._at(file)
            if not is_absent(file) and place.is_file() and not is_ours(place):
                raise K3sError(
                    f"{file['path']} was not written by Synapse, and the site says what is to "
                    "stand there. Bring its lines into k3s_registries or synapse_proxy of "
                    "platform.yml, move it away, and run again."
                )

    def _note(self) -> None:
        write(self.root / RESTART, "K3s has not read its new files.\n", 0o644)

    def _at(self, file: dict[str, Any]) -> Path:
        return self.root / str(file["path"]).lstrip("/")

    def _differs(self, file: dict[str, Any]) -> bool:
        place = self._at(file)
        if is_absent(file):
            return place.exists() and is_ours(place)
        kind = place.is_dir() if is_folder(file) else place.is_file()
        if not kind or place.stat().st_mode & 0o7777 != int(file["mode"], 8):
            return True
        return not is_folder(file) and place.read_text(errors="replace") != file["content"]

    def _file(self, file: dict[str, Any]) -> tuple[Callable[[], bool], Callable[[], None]]:
        place = self._at(file)

        def is_needed() -> bool:
            differs = self._differs(file)
            # A script of ours is long, and the same for everybody.
            if differs and file in self.shown_files and (file["restarts"] or is_absent(file)):
                before = place.read_text(errors="replace") if place.is_file() else ""
                self.diff.append(
                    {
                        "before_header": file["path"],
                        "after_header": file["path"],
                        "before": before,
                        "after": file["content"] or "",
                    }
                )
            return differs

        def do() -> None:
            if is_folder(file):
                place.mkdir(parents=True, exist_ok=True)
                place.chmod(int(file["mode"], 8))
            elif is_absent(file):
                place.unlink()
            else:
                write(place, file["content"], int(file["mode"], 8))

        return is_needed, do

    def _shown(self, name: str) -> str:
        return self.run("systemctl", "show", "k3s", f"--property={name}", "--value").strip()

    def _systemctl(self, *words: str) -> None:
        self.run("systemctl", *words)

    def _needs_reload(self) -> bool:
        is_unknown = (self.root / UNIT).exists() and self._shown("LoadState") == "not-found"
        return is_unknown or self._shown("NeedDaemonReload") == "yes"

    def _is_disabled(self) -> bool:
        return self._shown("UnitFileState") != "enabled"

    def _needs_start(self) -> bool:
        if self._shown("ActiveState") in ("active", "activating", "reloading"):
            return self.is_stale and self.may_restart
        return self.is_ours

    def _start(self) -> None:
        """Start it, and leave the waiting to who says what it waits for."""
        self._systemctl("restart", "--no-block", "k3s")
        (self.root / RESTART).unlink(missing_ok=True)


def is_ours(place: Path) -> bool:
    """Tell whether a file is one that Synapse wrote."""
    return place.is_file() and place.read_text(errors="replace").startswith(MARK)


def is_absent(file: dict[str, Any]) -> bool:
    """Tell whether a file shall not be there."""
    return file["content"] is None and not file["mode"]


def is_folder(file: dict[str, Any]) -> bool:
    """Tell whether it is a folder."""
    return file["content"] is None and bool(file["mode"])


def run_here(*words: str) -> str:
    """Run a command; a failure is a sentence."""
    made = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    if made.returncode:
        raise K3sError(f"{' '.join(words)} failed: {(made.stderr or made.stdout).strip()}")
    return made.stdout
