"""Starts programs that end with this process, and tells when one of them ends."""

import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from k3s_simulator.programs import Program
from k3s_simulator.told import fatal, info

DIE_WITH_PARENT, SET_NAME = 1, 15
LIBC = ctypes.CDLL(None, use_errno=True)
# How a running part of K3s is called in lists of processes and sockets.
SHOWN = "k3s-server"
STOP_LIMIT_S = 10
IN_GOOD_ORDER = ("datastore", "containerd")


class Running:
    """The programs that were started; the first to end, or a signal, is the end of all."""

    def __init__(self, programs: Path) -> None:
        """Start programs out of that folder; must be made in the main thread."""
        self._folder = programs
        LIBC.prctl(SET_NAME, SHOWN.encode())
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: queue.Queue[str] = queue.Queue()
        self._last_words: dict[str, str] = {}
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, lambda *_: self._ended.put(""))

    def start(self, program: Program) -> None:
        """Start a program; its words go where its log is, or into ours."""
        info(f"Running {program.name} {' '.join(program.arguments)}")
        path = self._folder / program.file
        if program.name != "containerd":
            path = self._as_k3s(path)
        log = program.log.open("ab") if program.log else None
        process = subprocess.Popen(
            [path, *program.arguments],
            env={**os.environ, "PATH": f"{self._folder}/aux:{os.environ['PATH']}"}
            | program.environment,
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.PIPE,
            stderr=log or subprocess.STDOUT,
            preexec_fn=lambda: LIBC.prctl(DIE_WITH_PARENT, signal.SIGKILL),
        )
        self._processes[program.name] = process
        waiting = threading.Thread(target=self._follow, args=(program.name, process), daemon=True)
        waiting.start()

    def check(self) -> None:
        """Go on while every program runs; end with K3s' words when one of them did not."""
        if not self._ended.empty():
            self.wait()

    def wait(self) -> None:
        """Wait for the first end: a signal ends all in good order, a program's end is a fault."""
        name = self._ended.get()
        if name:
            fatal(f"{name} exited: {self._last_words.get(name, '')}")
        # In K3s all of them are one process, which is gone when it has been told to stop; what
        # keeps the data and the containers ends in good order.
        for one, process in self._processes.items():
            if one in IN_GOOD_ORDER:
                process.terminate()
            else:
                process.kill()
        for process in self._processes.values():
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _as_k3s(self, path: Path) -> Path:
        link = self._folder / "shown" / path.name / SHOWN
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(path)
        return link

    def _follow(self, name: str, process: subprocess.Popen[bytes]) -> None:
        if process.stdout:
            self._repeat(name, process.stdout)
        process.wait()
        self._ended.put(name)

    def _repeat(self, name: str, words: IO[bytes]) -> None:
        for line in words:
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
            text = line.decode(errors="replace").strip()
            if text.startswith(("E", "F")) and "err=" in text:
                self._last_words[name] = text.partition("err=")[2].strip('"')
            elif text.startswith(("Error", "error")):
                self._last_words[name] = text
