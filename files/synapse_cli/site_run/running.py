"""Run one phase's command: its output to a log file, one line of progress to the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

from synapse_cli.site import SiteError
from synapse_cli.site_run.output import plain, works_on

SHOWN_EVERY_S = 1.0
SAID_EVERY_S = 30.0
"""Where the line cannot be rewritten, in a log of a build say."""
WIDTH = 110
LIMIT_S = 60.0


def servers(root: Path) -> list[str]:
    """Return the servers that the site's hosts.yml names; raise SiteError where it is not read."""
    command = [sys.executable, "-m", "ansible", "inventory", "--list"]
    try:
        run = subprocess.run(  # noqa: S603  (words of our own)
            command, cwd=root, capture_output=True, text=True, timeout=LIMIT_S, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
        why = str(fault.stderr or fault).strip()
        raise SiteError(f"Ansible cannot read your site; correct this first: {why}") from fault
    found = json.loads(run.stdout)
    return list(found.get("server", {}).get("hosts", []))


def clock(seconds: float) -> str:
    """Return a duration as people read it: 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Running:
    """The terminal and the log file."""

    def __init__(self, root: Path, log: Path) -> None:
        """Begin a new log, for its owner alone."""
        self._root = root
        log.parent.mkdir(exist_ok=True)
        log.unlink(missing_ok=True)
        self._log = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w")
        self._can_rewrite = sys.stdout.isatty()

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)

    def run(self, lead: str, command: Sequence[str]) -> tuple[int, list[str]]:
        """Run a command under a line that begins with `lead`; return its status and its output."""
        began = time.monotonic()
        lines: list[str] = []
        at = [""]
        ended = Event()
        showing = Thread(target=self._show, args=(lead, began, at, ended), daemon=True)
        showing.start()
        try:
            with subprocess.Popen(  # noqa: S603  (words of our own)
                command,
                cwd=self._root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "ANSIBLE_FORCE_COLOR": "0", "PYTHONUNBUFFERED": "1"},
            ) as process:
                for line in process.stdout or ():
                    self._log.write(line)
                    self._log.flush()
                    lines.append(plain(line))
                    at[0] = works_on(lines[-1]) or at[0]
        finally:
            ended.set()
            showing.join()
        return process.returncode, lines

    def _show(self, lead: str, began: float, at: list[str], ended: Event) -> None:
        every_s = SHOWN_EVERY_S if self._can_rewrite else SAID_EVERY_S
        while not ended.wait(every_s if at[0] or not self._can_rewrite else SHOWN_EVERY_S):
            text = f"{lead} {clock(time.monotonic() - began):>6}  {at[0]}"[:WIDTH]
            if self._can_rewrite:
                print(f"\r\x1b[K{text}", end="", flush=True)
            else:
                print(text, flush=True)
        if self._can_rewrite:
            print("\r\x1b[K", end="", flush=True)
