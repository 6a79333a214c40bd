"""A machine for K3s' modules: a root folder and systemd's answers, with a power cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k3s_server.release import VERSION, Release
from role_modules import module

UNIT = "/etc/systemd/system/k3s.service"
MARK = "# Written by Synapse\n"


def file(path: str, content: str | None, mode: str = "0600", restarts: bool = True) -> Any:
    """A file as the module takes it."""
    return {"path": path, "content": content, "mode": mode, "restarts": restarts}


class Machine:
    """What survives a power cut is below `root`; what does not is in here."""

    def __init__(self, root: Path, release: Release) -> None:
        self.root, self.release = root, release
        self.files = [file("/etc/rancher/k3s/config.yaml", "a: 1\n"), file(UNIT, "u\n", "0644")]
        self.secret_files = [file("/etc/rancher/k3s/registries.yaml", f"{MARK}password: x\n")]
        self.args = {
            "version": VERSION,
            "architecture": "amd64",
            "data_dir": "/var/lib/rancher/k3s",
        }
        self.is_enabled = self.is_active = False
        self.loaded: str | None = None
        self.commands: list[str] = []
        self.starts = 0
        (root / "usr/local/bin").mkdir(parents=True)
        (root / "usr/bin").mkdir()

    @property
    def unit(self) -> str | None:
        place = self.root / UNIT.lstrip("/")
        return place.read_text() if place.exists() else None

    def run(self, *words: str) -> str:
        """What systemctl does and says."""
        if words[1] == "show":
            name = words[3].removeprefix("--property=")
            return {
                "LoadState": "loaded" if self.loaded is not None else "not-found",
                "NeedDaemonReload": "yes" if self.loaded not in (None, self.unit) else "no",
                "UnitFileState": "enabled" if self.is_enabled else "disabled",
                "ActiveState": "active" if self.is_active else "inactive",
            }[name] + "\n"
        self.commands.append(" ".join(words[1:]))
        if words[1] == "daemon-reload":
            self.loaded = self.unit
        elif words[1] == "enable":
            assert self.loaded is not None
            self.is_enabled = True
        else:
            assert self.loaded == self.unit, "started with a unit that systemd has not read"
            self.boot_k3s()
        return ""

    def boot_k3s(self) -> None:
        """K3s starts: all that it needs has to be whole by now."""
        names = ("usr/local/bin/k3s", "etc/rancher/k3s/config.yaml")
        assert all((self.root / name).is_file() for name in names)
        self.is_active, self.starts = True, self.starts + 1

    def power_back(self) -> None:
        """The machine boots: /run is empty, systemd reads its units, and starts what is enabled."""
        for place in (self.root / "run/synapse").glob("*"):
            place.unlink()
        self.loaded, self.is_active = self.unit, False
        if self.is_enabled and self.unit is not None:
            self.boot_k3s()

    def steps(self) -> list[Callable[[], Any]]:
        """Every step of a run of the role, in its order, each made when the one before is done."""
        fetch = module("k3s", "k3s_download").Release(
            {**self.args, "url": self.release.url, "checksums_sha256": "", "stall_s": 5}, self.root
        )
        place = module("k3s", "k3s_place").Placing(self.args, self.root)
        start = module("k3s", "k3s_start").Starting(
            {
                "is_ours": True,
                "may_restart": True,
                "files": self.files,
                "secret_files": json.dumps(self.secret_files),
            },
            self.root,
            self.run,
        )
        steps = list(fetch.steps())
        for one in (place, start):
            steps += [lambda step=step: step[1]() and (step[2](), 1) for step in one.steps()]
        return steps

    def deploy(self, until: int | None = None) -> int:
        """Run the role, or its first steps and then the power is cut; return what changed."""
        return sum(bool(step()) for step in self.steps()[:until])
