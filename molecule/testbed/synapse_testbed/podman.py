"""The testbed's container, and the few things done with it through podman."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from synapse_testbed.commands import TestbedError, as_root, run, succeeds

# Flags instead of a configuration file, so that the user's own one stays in force.
PODMAN = ("podman", "--cgroup-manager=cgroupfs", "--events-backend=file")
LABEL = "synapse.testbed"
# Podman's own defaults are more than a root without all capabilities may set.
ULIMITS = ("--ulimit=nofile=20000:20000", "--ulimit=nproc=30000:30000")
# What a container needs whose first process is systemd.
SYSTEMD = (
    "--privileged",
    # Without a namespace of its own no container starts on hosts with cgroup version 1.
    # There podman's systemd mode would also show the host's systemd hierarchy to every
    # server, and one that starts would remove another's: hence no mode, but its parts.
    "--cgroupns=private",
    "--systemd=false",
    "--env=container=podman",
    "--stop-signal=SIGRTMIN+3",
    *(f"--tmpfs={folder}" for folder in ("/run", "/run/lock", "/tmp")),
    *ULIMITS,
)
LIMIT_S = 300


def podman(*arguments: str, limit_s: float = LIMIT_S) -> str:
    """Run one podman command and return what it printed."""
    return run(as_root(*PODMAN, *arguments), limit_s=limit_s)


def feed(command: list[str], write: Callable[[IO[bytes]], None], limit_s: float = LIMIT_S) -> None:
    """Run a command whose standard input is produced while it reads."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            write(process.stdin)
            process.stdin.close()
        except BrokenPipeError:
            pass  # The program gave up; its own words, read below, say why.
        told = process.stderr.read().decode(errors="replace").strip()
        if process.wait(limit_s) != 0:
            raise TestbedError(f"{' '.join(command[:6])} failed: {told}")


@dataclass(frozen=True)
class Container:
    """A container and the volume it keeps its data in, both known by our label."""

    name: str
    volume: str

    def exists(self) -> bool:
        """Tell whether the container is there, running or not."""
        return _there("container", self.name)

    def stranger(self) -> str:
        """Return which container or volume has our name but was not made here; empty if none."""
        for kind, name in (("container", self.name), ("volume", self.volume)):
            if _there(kind, name) and not _label(kind, name):
                return f"{kind} named {name}"
        return ""

    def running(self) -> bool:
        """Tell whether the container runs."""
        if not self.exists():
            return False
        state = podman("container", "inspect", self.name, "--format", "{{.State.Running}}")
        return state.strip() == "true"

    def shape(self) -> str:
        """Return what the container was made from, as its label says."""
        return _label("container", self.name)

    def run(self, image: str, shape: str, ports: dict[int, int]) -> None:
        """Start a new server; `ports` maps ports of 127.0.0.1 to ports of the server."""
        if not _there("volume", self.volume):
            podman("volume", "create", "--label", f"{LABEL}=data", self.volume)
        podman(
            "run",
            "--detach",
            f"--name={self.name}",
            "--hostname=forge",
            f"--label={LABEL}={shape}",
            *SYSTEMD,
            f"--volume={self.volume}:/var/lib/forge",
            *kernel_modules(),
            *(f"--publish=127.0.0.1:{outer}:{inner}" for outer, inner in ports.items()),
            image,
            "/sbin/init",
        )

    def start(self) -> bool:
        """Start the container that is there; False when it cannot be started."""
        return succeeds(as_root(*PODMAN, "start", self.name), limit_s=60)

    def exec(self, *command: str, limit_s: float = LIMIT_S) -> str:
        """Run a command in the server and return what it printed."""
        return podman("exec", self.name, *command, limit_s=limit_s)

    def feed(self, *command: str, write: Callable[[IO[bytes]], None]) -> None:
        """Run a command in the server with a produced standard input."""
        feed(as_root(*PODMAN, "exec", "--interactive", self.name, *command), write)

    def remove(self) -> None:
        """Remove the container and its volume, when they are there."""
        if self.exists():
            podman("rm", "--force", "--time=0", self.name)
        if _there("volume", self.volume):
            podman("volume", "rm", "--force", self.volume)


def kernel_modules() -> list[str]:
    """Return the flag that shows a server its kernel's modules, where this machine has any."""
    return ["--volume=/lib/modules:/lib/modules:ro"] if Path("/lib/modules").is_dir() else []


def _label(kind: str, name: str) -> str:
    labels = ".Config.Labels" if kind == "container" else ".Labels"
    query = f'{{{{index {labels} "{LABEL}"}}}}'
    label = podman(kind, "inspect", name, "--format", query).strip()
    return "" if label == "<no value>" else label


def _there(kind: str, name: str) -> bool:
    return succeeds(as_root(*PODMAN, kind, "exists", name), limit_s=60)
