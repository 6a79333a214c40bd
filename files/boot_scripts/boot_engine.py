"""Run an engine in a process group of its own, and end the group once it cannot serve any more.

vLLM needs that. When its core dies while a sleep or a wake is unanswered, the server closes its
port and stays, deaf to SIGTERM; a SIGTERM while a model loads is lost; and what is left of an
engine holds the GPU's memory, which the next one needs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import boot_probe
from boot_output import Output

LOOK_S = 1.0
REFUSED_S = 5.0  # without a port that listens, after it has answered: it is dead
LOADING_S = 3.0  # to heed a stop while the model loads
GONE_S = 5.0  # until the driver lets go of what was killed
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Engine:
    """One run of the engine's command, as an only child would be run: orphans are reaped."""

    def __init__(self, command: list[str], port: int, kill_after_s: float) -> None:
        """Prepare; it listens on this port, and is killed so long after a stop."""
        self._command = command
        self._port = port
        self._kill_after_s = kill_after_s
        self._pid = 0
        self._stop_by_s: float | None = None
        self.output = Output()
        self.ended = threading.Event()
        self.answered = False
        self.killed_for = ""
        """Why it was killed, in words; empty where it ended by itself."""

    @property
    def stopped(self) -> bool:
        """Say whether somebody asked for its end."""
        return self._stop_by_s is not None

    def run(self, on_answer: Callable[[], None]) -> int:
        """Run it to its end and return its status, below zero for a signal; all of it is gone."""
        for number in SIGNALS:
            signal.signal(number, self._stop)
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(  # noqa: S603  (the operator's command)
                self._command, stdout=pipe, stderr=pipe, process_group=0
            )
            self._pid = process.pid
            if self.stopped:  # in this instant
                self._signal(signal.SIGTERM)
            self.output.follow(process)
            threading.Thread(target=self._supervise, args=(on_answer,), daemon=True).start()
            process.returncode = self._reap()
        finally:
            self.ended.set()
        self.output.finish()
        return process.returncode

    def _reap(self) -> int:
        """Reap whoever ends, up to the engine; what it leaves behind is killed."""
        engine = self._pid
        while (child := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)) is not None:
            if child.si_pid == engine:
                break
            os.waitpid(child.si_pid, 0)
        os.killpg(engine, signal.SIGKILL)  # until it is reaped, nobody else can have its number
        _, status = os.waitpid(engine, 0)
        self._pid = 0
        self.ended.set()
        _see_gone(engine)
        return os.waitstatus_to_exitcode(status)

    def _stop(self, number: int, _: object) -> None:
        if self._stop_by_s is None:
            wait_s = self._kill_after_s if self.answered else LOADING_S
            self._stop_by_s = time.monotonic() + wait_s
        self._signal(number)

    def _signal(self, number: int) -> None:
        # Not send_signal: it reaps an engine that has just died, and its status would be lost.
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def _kill(self, why: str) -> None:
        if engine := self._pid:  # group 0 would be our own
            self.killed_for = why
            with suppress(ProcessLookupError):
                os.killpg(engine, signal.SIGKILL)

    def _supervise(self, on_answer: Callable[[], None]) -> None:
        """Look once a second:

        1. It was told to stop: it is killed once its time is over; its port is closed meanwhile.
        2. It has not answered yet: the first answer is told.
        3. It has: once its port refuses for long enough, it is killed.
        """
        listened_s = time.monotonic()
        while not self.ended.wait(LOOK_S):
            now_s = time.monotonic()
            if self._stop_by_s is not None:  # (1)
                if now_s >= self._stop_by_s:
                    self._kill("it did not end in the time that it had after the stop")
            elif not self.answered:  # (2)
                if boot_probe.answers(self._port, boot_probe.READY):
                    self.answered, listened_s = True, now_s
                    with suppress(OSError):  # supervising goes on without a file
                        on_answer()
            elif boot_probe.listens(self._port):
                listened_s = now_s
            elif now_s - listened_s >= REFUSED_S:  # (3)
                self._kill(f"nobody has listened on its port for {REFUSED_S:g} s")


def _see_gone(group: int) -> None:
    """Wait until nothing of a killed group is left, reaping what has become our child."""
    until_s = time.monotonic() + GONE_S
    with suppress(ProcessLookupError):
        while time.monotonic() < until_s:
            os.killpg(group, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(-group, os.WNOHANG)
            time.sleep(0.02)
