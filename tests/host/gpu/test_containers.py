"""NVIDIA's real container toolkit gives the GPU to containers that ask for it, by CDI."""

from functools import partial
from shutil import copyfileobj

import pytest

from host_lab import lab
from host_lab.server import Server
from host_lab_gpu import driver, machine, toolkit
from host_lab_gpu.looked_at import facts_of, remedies
from host_lab_gpu.states import SHOWN, STATES, State
from synapse_host.rules.toolkit import cdi
from synapse_testbed import debian
from synapse_testbed.cache import Cache
from synapse_testbed.commands import TestbedError, as_root
from synapse_testbed.podman import PODMAN, feed

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
NODES = ("nvidia0", "nvidiactl", "nvidia-modeset", "nvidia-uvm", "nvidia-uvm-tools")
NUMBERS = ("195:0", "195:255", "195:254", "510:0", "510:1")
# An overlay cannot lie on the overlay that is a container's root, a plain tree can lie anywhere.
ROOT = "/var/lib/rancher/container"
GPU = f"GPU 0: {SHOWN['name']} (UUID: {SHOWN['uuid']})"
LOOK = "ls /dev/nvidia* 2>/dev/null; ldconfig -p | grep -o 'libnvidia-ml.so.1 ' || true"


@pytest.fixture(scope="module")
def gpu_server(server: Server, cache: Cache) -> Server:
    """A server whose driver and toolkit were installed without containerd, and one boot later."""
    machine.bring_into(server, STATES["healthy"], cache.obtain(driver.packages(driver.CURRENT)))
    machine.install(server, cache.obtain(toolkit.packages()), toolkit.NAMES)
    server.shell(
        "apt-get -q update && apt-get -qq install --yes --no-install-recommends containerd"
    )
    server.reboot()
    lab.wait_for_boot(server)
    layer = cache.obtain(debian.root_filesystem("debian-base", debian.BASE_PACKAGES)) / "layer.tar"
    server.shell(f"mkdir -p {ROOT}")
    with layer.open("rb") as tar:
        unpack = ["exec", "--interactive", server.name, "tar", "--extract", f"--directory={ROOT}"]
        feed(as_root(*PODMAN, *unpack), partial(copyfileobj, tar))
    return server


def in_container(server: Server, script: str, *options: str) -> str:
    """Run a script in a container of NVIDIA's runtime, as K3s' class `nvidia` does."""
    runtime = ["--runc-binary=/usr/bin/nvidia-container-runtime", "--env=PATH=/usr/sbin:/usr/bin"]
    command = ["ctr", "run", "--rm", "--rootfs", *runtime, *options, ROOT, "tried"]
    return server.exec(*command, "sh", "-c", script)


def test_a_boot_writes_down_the_devices(gpu_server: Server) -> None:
    listed = gpu_server.shell("nvidia-ctk cdi list 2>/dev/null").split()

    assert f"nvidia.com/gpu={SHOWN['uuid']}" in listed
    assert "nvidia.com/gpu=all" in listed


def test_a_container_that_has_not_asked_gets_nothing(gpu_server: Server) -> None:
    assert in_container(gpu_server, LOOK) == ""


def test_a_container_that_asks_gets_devices_library_and_program(gpu_server: Server) -> None:
    asked = "--env=NVIDIA_VISIBLE_DEVICES=all"

    told = in_container(gpu_server, LOOK, asked).split()

    assert sorted(told) == sorted([*(f"/dev/{node}" for node in NODES), "libnvidia-ml.so.1"])
    assert in_container(gpu_server, "nvidia-smi -L", asked).strip() == GPU


def test_a_container_keeps_its_gpu_when_systemd_reloads(gpu_server: Server) -> None:
    scope = ["--runc-systemd-cgroup", "--cgroup=system.slice:lab:kept"]
    runtime = ["--runc-binary=/usr/bin/nvidia-container-runtime", "--env=PATH=/usr/sbin:/usr/bin"]
    asked = ["--env=NVIDIA_VISIBLE_DEVICES=all", ROOT, "kept", "sleep", "1000"]
    gpu_server.exec("ctr", "run", "--detach", "--rootfs", *scope, *runtime, *asked)

    gpu_server.exec("systemctl", "daemon-reload")

    look = ["ctr", "task", "exec", "--exec-id=look", "kept", "nvidia-smi", "-L"]
    assert gpu_server.exec(*look).strip() == GPU
    # systemd knows each of them: it would set these rules again, and no other.
    allowed = gpu_server.exec("systemctl", "show", "--property=DeviceAllow", "lab-kept.scope")
    assert {f"DeviceAllow=/dev/char/{one} rwm" for one in NUMBERS} <= set(allowed.splitlines())
    gpu_server.exec("ctr", "task", "kill", "--signal=KILL", "kept")


def test_a_container_whose_devices_came_behind_systemds_back_says_so(gpu_server: Server) -> None:
    """The words of the fault: the nodes are there, and the container may not open them."""
    driven = f"/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.{driver.CURRENT}"
    mounts = {
        driven: "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
        "/usr/bin/nvidia-smi": "/usr/bin/nvidia-smi",
        "/dev/nvidiactl": "/dev/nvidiactl",
    }
    binds = [
        f"--mount=type=bind,src={source},dst={place},options=rbind:ro"
        for source, place in mounts.items()
    ]

    with pytest.raises(TestbedError, match="ended with 255"):
        in_container(gpu_server, "nvidia-smi -L", *binds)
    told = in_container(gpu_server, "nvidia-smi -L || true", *binds)
    assert told.strip() == "Failed to initialize NVML: Unknown Error"


def test_a_list_of_devices_from_another_driver_is_named(gpu_server: Server, cache: Cache) -> None:
    assert remedies(facts_of(gpu_server), [cdi]) == {}
    older = State(installed=driver.AFTER)

    machine.bring_into(gpu_server, older, cache.obtain(driver.packages(driver.AFTER)))

    said = remedies(facts_of(gpu_server), [cdi])
    assert "nvidia-ctk cdi generate" in said["cdi"]
