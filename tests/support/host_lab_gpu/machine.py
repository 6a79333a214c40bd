"""Put a simulated GPU and driver into a bare server, in one of the known states."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from host_lab.server import Server
from host_lab_gpu.driver import SOURCES
from host_lab_gpu.states import State
from synapse_testbed.commands import as_root, run
from synapse_testbed.podman import PODMAN, podman

PLACES = {
    "simulated-machine": ("/usr/local/libexec/simulated-machine",),
    "simulated-desktop": ("/usr/local/libexec/simulated-desktop",),
    "kernel-log": ("/usr/local/bin/journalctl", "/usr/local/bin/dmesg"),
    "mokutil": ("/usr/local/bin/mokutil",),
}
POLL_S = 0.5
UNIT = "simulated-machine.service"
DRIVER = (
    "'nvidia-kernel-*' 'nvidia-driver-*' nvidia-open nvidia-persistenced libnvidia-ml1 libcuda1"
)


def prepare(server: Server) -> None:
    """Give the server the programs that simulate; `plug_in` decides what they show."""
    server.shell("mkdir -p /usr/local/libexec")
    for name, places in PLACES.items():
        for place in places:
            server.write(place, (SOURCES / name).read_text(), mode="0755")
    server.write(f"/etc/systemd/system/{UNIT}", (SOURCES / UNIT).read_text())


def plug_in(server: Server, state: State) -> None:
    """Bring the server's machine into a state, as a boot would find it; packages are left alone."""
    server.write("/etc/simulated-machine.json", json.dumps(state.machine(), indent=1))
    server.shell(
        f"systemctl daemon-reload; systemctl enable --quiet {UNIT}; systemctl restart {UNIT}"
    )


def bring_into(server: Server, state: State, packages: Path | None) -> None:
    """Bring the server into a state, its installed driver included.

    `packages` is the folder of the driver's version that the state has on its disk.
    """
    server.shell(
        "systemctl stop simulated-desktop 2>/dev/null || true; rm -f /run/reboot-required*;"
        f"here=$(dpkg-query --show --showformat='${{Package}}\\n' {DRIVER} 2>/dev/null || true);"
        '[ -z "$here" ] || dpkg --purge --force-depends $here >/dev/null 2>&1'
    )
    if state.installed and packages:
        module = "nvidia-kernel-open-dkms" if state.kind == "open" else "nvidia-kernel-dkms"
        names = ("libnvidia-ml1", "libcuda1", "nvidia-driver-cuda", module)
        install(server, packages, names)
    plug_in(server, state)
    if state.wants_reboot:
        server.shell(
            f"touch /run/reboot-required; echo {state.wants_reboot} > /run/reboot-required.pkgs"
        )
    if state.desktop:
        server.exec(
            "systemd-run", "--unit=simulated-desktop", "/usr/local/libexec/simulated-desktop"
        )


def install(server: Server, folder: Path, names: Sequence[str]) -> None:
    """Install packages from a folder without a repository."""
    place = "/root/packages"
    server.shell(f"mkdir -p {place}")
    for name in names:
        file = next(folder.glob(f"{name}_*.deb"))
        run(as_root(*PODMAN, "cp", str(file), f"{server.name}:{place}/{file.name}"), limit_s=60)
    server.shell(f"dpkg --install {place}/*.deb; rm -r {place}")


@contextmanager
def coming_back(server: Server) -> Iterator[None]:
    """Start the server again when it shuts down for a reboot, as a machine does by itself."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            state = podman("inspect", server.name, "--format", "{{.State.Running}}")
            if state.strip() == "false":
                podman("start", server.name)
            ended.wait(POLL_S)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()
