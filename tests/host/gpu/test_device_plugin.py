"""The whole way of the GPU: driver, NVIDIA's runtime, kubelet, plugin, pods."""

import json
import subprocess
from pathlib import Path

import pytest

from host_lab import artefacts, k3s
from host_lab.server import Server
from host_lab_gpu import driver, machine, plugin
from host_lab_gpu.plays import play
from host_lab_gpu.published import Published
from host_lab_gpu.states import SHOWN, STATES
from synapse_testbed import debian
from synapse_testbed.cache import Cache
from synapse_testbed.commands import as_root, run
from synapse_testbed.images import PATH
from synapse_testbed.oci import Image, write_archive
from synapse_testbed.podman import PODMAN

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
TRY = "localhost/synapse/try:dev"
IMAGES = "/var/lib/rancher/k3s/agent/images"
WAIT = "--timeout=90s"


@pytest.fixture(scope="module")
def cluster(server: Server, cache: Cache, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """K3s, simulated, on a server with the simulated GPU; there is no container toolkit yet."""
    packages = cache.obtain(driver.packages(driver.CURRENT))
    machine.bring_into(server, STATES["healthy"], packages)
    put_images(server, cache, tmp_path_factory.mktemp("images") / "gpu.tar")
    with artefacts.serving({k3s.version(): k3s.release(cache)}) as releases:
        done = play(server, "cluster", {"k3s_download_url": releases.url()})
    assert done.returncode == 0, done.stdout[-3000:]
    return server


@pytest.fixture(scope="module")
def gpu_cluster(cluster: Server, repositories: tuple[Published, str]) -> Server:
    """The same after role nvidia has installed the toolkit."""
    done = set_up_gpu(cluster, repositories)
    assert done.returncode == 0, done.stdout[-3000:]
    return cluster


def set_up_gpu(
    server: Server, repositories: tuple[Published, str]
) -> subprocess.CompletedProcess[str]:
    published, address = repositories
    return play(server, "nvidia", published.variables(address) | {"nvidia_install": True})


def put_images(server: Server, cache: Cache, archive: Path) -> None:
    """Have K3s import the plugin and an image to try the GPU in when it starts."""
    base = cache.obtain(debian.root_filesystem("debian-base", debian.BASE_PACKAGES))
    tried = Image(TRY, (base / "layer.tar",), {"Env": [PATH]})
    with archive.open("wb") as file:
        write_archive([plugin.image(base, cache.obtain(plugin.program())), tried], file)
    server.shell(f"mkdir -p {IMAGES}")
    run(as_root(*PODMAN, "cp", str(archive), f"{server.name}:{IMAGES}/gpu.tar"), limit_s=120)


@pytest.fixture(scope="module")
def options(gpu_cluster: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What role device_plugin is told."""
    kubeconfig = tmp_path_factory.mktemp("kube") / "config"
    kubeconfig.touch(mode=0o600)
    text = gpu_cluster.exec("cat", "/etc/rancher/k3s/k3s.yaml")
    kubeconfig.write_text(text.replace("127.0.0.1", gpu_cluster.address()))
    return {
        "synapse_kubeconfig": str(kubeconfig),
        "device_plugin_enabled": True,
        "device_plugin_image": plugin.REFERENCE,
        "device_plugin_check_image": TRY,
        "device_plugin_offer_wait_s": 60,
    }


@pytest.fixture(scope="module")
def shared(gpu_cluster: Server, options: dict[str, object]) -> str:
    """What role device_plugin said; the GPU is offered in shares afterwards."""
    done = play(gpu_cluster, "nvidia", options, on="localhost")
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def kubectl(server: Server, *command: str) -> str:
    return server.exec("k3s", "kubectl", *command)


def start_pod(server: Server, name: str, **spec: object) -> None:
    """Start a pod that looks for devices and ends."""
    looks = ["sh", "-c", "ls /dev/nvidia* || true; nvidia-smi -L || true"]
    container = {"name": name, "image": TRY, "command": looks, **spec}
    runtime = container.pop("runtimeClassName", None)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [container], "runtimeClassName": runtime},
    }
    server.write(f"/root/{name}.json", json.dumps(pod))
    kubectl(server, "apply", f"--filename=/root/{name}.json")


def starts_of_k3s(server: Server) -> int:
    return server.shell("journalctl --unit=k3s --output=cat").count("Starting k3s.service")


def test_a_toolkit_that_comes_after_k3s_takes_one_restart(
    cluster: Server, repositories: tuple[Published, str]
) -> None:
    configured = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
    assert "nvidia" not in cluster.exec("cat", configured)
    before = starts_of_k3s(cluster)

    first = set_up_gpu(cluster, repositories)
    second = set_up_gpu(cluster, repositories)

    assert first.returncode == 0, first.stdout[-3000:]
    assert "/usr/bin/nvidia-container-runtime" in cluster.exec("cat", configured)
    assert starts_of_k3s(cluster) == before + 1
    assert "changed=0" in second.stdout


def test_a_driver_installed_by_hand_that_serves_is_left_alone(gpu_cluster: Server) -> None:
    # Its pin and its daemon would have come with role nvidia.
    shown = gpu_cluster.shell("dpkg-query --show --showformat='${Package}\\n' 'nvidia*'")
    assert "nvidia-driver-cuda" in shown
    assert "nvidia-driver-pinning" not in shown


def test_two_pods_see_the_gpu_at_the_same_time(shared: str) -> None:
    assert f"{SHOWN['name']}, 31.8 GiB, driver {driver.CURRENT}, CUDA 13.2" in shared
    assert "2 pods saw it at the same time" in shared


def test_a_pod_without_the_runtime_class_sees_no_device(cluster: Server, shared: str) -> None:
    start_pod(cluster, "unasked")

    ended = "--for=jsonpath={.status.phase}=Succeeded"
    kubectl(cluster, "wait", ended, "pod/unasked", WAIT)
    told = kubectl(cluster, "logs", "unasked")
    assert "cannot access '/dev/nvidia*'" in told
    assert "GPU 0" not in told


def test_a_pod_that_wants_two_shares_is_refused(cluster: Server, shared: str) -> None:
    two = {"limits": {"nvidia.com/gpu": "2"}}
    start_pod(cluster, "greedy", resources=two, runtimeClassName="nvidia")

    kubectl(cluster, "wait", "--for=jsonpath={.status.phase}=Failed", "pod/greedy", WAIT)
    why = kubectl(cluster, "get", "pod", "greedy", "--output=jsonpath={.status.message}")
    assert "maximum request size for shared resources is 1" in why


def test_the_gpu_is_offered_again_when_k3s_has_restarted(cluster: Server, shared: str) -> None:
    cluster.shell("systemctl restart k3s", limit_s=180)

    one = {"limits": {"nvidia.com/gpu": "1"}}
    wait_for_offer(cluster, 4)
    start_pod(cluster, "later", resources=one, runtimeClassName="nvidia")
    kubectl(cluster, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/later", WAIT)
    assert f"GPU 0: {SHOWN['name']}" in kubectl(cluster, "logs", "later")


def wait_for_offer(server: Server, times: int) -> None:
    node = kubectl(server, "get", "node", "--output=jsonpath={.items[0].metadata.name}")
    offered = "jsonpath={.status.allocatable.nvidia\\.com/gpu}"
    kubectl(server, "wait", f"--for={offered}={times}", f"node/{node}", WAIT)


def test_somebody_elses_plugin_without_the_runtime_class_is_named(
    gpu_cluster: Server, shared: str, options: dict[str, object]
) -> None:
    ours = ["--namespace=nvidia-device-plugin", "daemonset/nvidia-device-plugin"]
    theirs = json.loads(kubectl(gpu_cluster, "get", *ours, "--output=json"))
    kubectl(gpu_cluster, "delete", *ours)
    theirs["metadata"] = {"name": "nvidia-device-plugin-daemonset", "namespace": "kube-system"}
    del theirs["spec"]["template"]["spec"]["runtimeClassName"]
    theirs["spec"]["template"]["spec"]["volumes"] = []
    theirs["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = []
    wait_for_offer(gpu_cluster, 0)
    gpu_cluster.write("/root/theirs.json", json.dumps(theirs))
    kubectl(gpu_cluster, "apply", "--filename=/root/theirs.json")

    done = play(gpu_cluster, "nvidia", options, on="localhost")

    assert done.returncode != 0
    assert "runs without runtimeClassName: nvidia" in done.stdout, done.stdout[-2000:]
    kubectl(gpu_cluster, "delete", "--filename=/root/theirs.json")
