"""Machines of a small network, as network namespaces of this one; needs root, `ip` and `nft`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

FOLDER = Path(__file__).parent
LIMIT_S = 20.0


def missing() -> str:
    """Return why no such network can be made here; empty: it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "nft"):
        if not shutil.which(program):
            return f"`{program}` is not installed"
    tried = subprocess.run(["unshare", "--net", "nft", "list", "tables"], capture_output=True)
    return "" if tried.returncode == 0 else "this machine allows no network namespaces"


class Machine:
    """A network namespace."""

    def __init__(self, lab: str, name: str) -> None:
        """Make it, with its own loopback."""
        self.name, self.space = name, f"{lab}-{name}"
        run("ip", "netns", "add", self.space)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Run a command in it; return what it prints."""
        return run("ip", "netns", "exec", self.space, *command, stdin=stdin)

    def addresses(self, interface: str, *addresses: str) -> None:
        """Give an interface addresses, and turn it on."""
        for address in addresses:
            # An address of IPv6 is looked for in the network first, which takes seconds.
            once = ["nodad"] if ":" in address else []
            self.run("ip", "address", "add", address, "dev", interface, *once)
        self.run("ip", "link", "set", interface, "up")

    @contextmanager
    def listening(self, ports: Iterable[int]) -> Iterator[None]:
        """Take connections at these ports, and tell each who took it."""
        command = [sys.executable, str(FOLDER / "listen.py"), self.name, *map(str, ports)]
        started = ["ip", "netns", "exec", self.space, *command]
        with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "listening\n"
                yield
            finally:
                process.kill()

    def reached(self, *targets: str) -> dict[str, str]:
        """Return who answers at each target, such as 10.0.0.1:80; `nobody`: refused, or silent."""
        answers: dict[str, str] = json.loads(
            self.run(sys.executable, str(FOLDER / "ask.py"), *targets)
        )
        return answers

    def remove(self) -> None:
        """Take it away, with its interfaces."""
        run("ip", "netns", "delete", self.space)


class Lab:
    """Machines that cables connect."""

    def __init__(self) -> None:
        """Make nothing yet."""
        self.name = f"synapse-{os.getpid()}"
        self._left = ExitStack()

    def machine(self, name: str) -> Machine:
        """Add a machine."""
        made = Machine(self.name, name)
        self._left.callback(made.remove)
        return made

    def cable(self, one: Machine, at_one: str, other: Machine, at_other: str) -> None:
        """Connect an interface of one with an interface of the other."""
        ends = ["peer", "name", at_other, "netns", other.space]
        one.run("ip", "link", "add", at_one, "type", "veth", *ends)

    def __enter__(self) -> Lab:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take all machines away."""
        self._left.close()


def run(*command: str, stdin: str | None = None) -> str:
    """Run a command; return what it prints, or fail with what it says."""
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=LIMIT_S)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
