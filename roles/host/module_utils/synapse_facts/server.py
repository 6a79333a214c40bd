"""The files and programs of a server, and what is asked of them with a limit."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from typing import Any

FOLDERS_OF_PROGRAMS = (
    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
)  # fmt: skip
Facts = dict[str, Any]


class Server:
    """The files and programs below one root; a missing one is nothing, a closed one is noted."""

    def __init__(self, root: str, limit_s: float) -> None:
        """Read below `root`; each program may take `limit_s` seconds."""
        self.root = root.rstrip("/")
        self.limit_s = limit_s
        self.unseen: set[str] = set()

    def at(self, path: str) -> str:
        """Return where a path of the server lies."""
        return self.root + path

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file or folder."""
        return os.path.exists(self.at(path))

    def glob(self, pattern: str) -> list[str]:
        """Return the server's paths that match, sorted."""
        return sorted(path[len(self.root) :] for path in glob.glob(self.at(pattern)))

    def raw(self, path: str) -> bytes:
        """Return what a file holds; nothing where there is none."""
        try:
            with open(self.at(path), "rb") as file:
                return file.read()
        except PermissionError:
            if not path.startswith("/proc/"):  # told once, by Processes
                self.unseen.add(f"{path} may be read by root only.")
        except OSError:
            pass
        return b""

    def text(self, path: str) -> str:
        """Return a file's text without the space around it."""
        return self.raw(path).decode("utf-8", "replace").strip()

    def link(self, path: str) -> str:
        """Return the last part of where a link leads to; empty where there is none."""
        try:
            return os.path.basename(os.readlink(self.at(path)))
        except OSError:
            return ""

    def program(self, name: str) -> str | None:
        """Return where a program lies on the server."""
        if name.startswith("/"):
            return shutil.which(self.at(name))
        return shutil.which(name, path=":".join(map(self.at, FOLDERS_OF_PROGRAMS)))

    def run(self, name: str, *words: str) -> tuple[int, str]:
        """Return a program's exit status and all that it says; 127 where there is no such one."""
        program = self.program(name)
        if program is None:
            return 127, ""
        try:
            done = subprocess.run(  # noqa: S603  (words of our own)
                [program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=self.limit_s, check=False,
                env={**os.environ, "LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.unseen.add(f"{name} did not answer within {self.limit_s:g} s.")
            return 124, f"{name} did not answer within {self.limit_s:g} s"
        except OSError as fault:
            return 126, str(fault)
        return done.returncode, done.stdout.decode("utf-8", "replace").strip()

    def says(self, name: str, *words: str) -> str:
        """Return what a program says when all goes well; else nothing."""
        status, said = self.run(name, *words)
        return "" if status else said
