"""The testbed's server: bring it to Ready from whatever state it is in, and take it away."""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from inspect import getsource

from synapse_testbed import contents, gpu
from synapse_testbed.commands import TestbedError, say
from synapse_testbed.images import Built
from synapse_testbed.podman import Container
from synapse_testbed.settings import Settings

API_PORT, GATEWAY_PORT = 6443, 30800
READY_LIMIT_S = 180
POLL_S = 0.5


def check_free(settings: Settings) -> None:
    """Raise TestbedError when the name or a port is somebody else's, before anything is built."""
    server = Container(settings.name, settings.volume)
    _refuse_strangers(server)
    if not server.running():
        check_ports(settings)


def create(settings: Settings, built: Built) -> None:
    """Bring the server to a Ready node with its images, models and DNS; a second call changes
    nothing, a call after an interrupted one finishes the work."""
    with _alone(settings):
        began = time.monotonic()
        server = Container(settings.name, settings.volume)
        image = contents.load_image(built.node)
        start(settings, server, image)
        contents.remove_other_images(image)
        _wait(server, "containerd to answer", lambda: contents.can_import(server))
        contents.import_images(server, built.pods)
        contents.place_models(server, built.models)
        _wait(server, "the API server to answer", lambda: _api_answers(server))
        contents.apply_addons(server)
        _wait(server, "the node to be Ready", lambda: _node_is_ready(server))
        gpu.offer_shares(server, gpu.shares())
        _wait(server, "NetworkPolicies to be enforced", lambda: _policies_are_enforced(server))
        _wait(server, "CoreDNS to answer", lambda: _dns_is_ready(server))
        _write_kubeconfig(settings, server)
        say(f"{settings.name}: Ready after {time.monotonic() - began:.0f} s")
        say(f"{settings.name}: NodePort {GATEWAY_PORT} is http://127.0.0.1:{settings.gateway_port}")
        say(f"{settings.name}: export K8S_AUTH_KUBECONFIG={settings.kubeconfig}")


def destroy(settings: Settings) -> None:
    """Remove the server, its data and its kubeconfig; nothing else."""
    server = Container(settings.name, settings.volume)
    with _alone(settings):
        _refuse_strangers(server)
        server.remove()
        settings.kubeconfig.unlink(missing_ok=True)
        say(f"{settings.name}: gone (the cache of built things stays in {settings.cache})")


def start(settings: Settings, server: Container, image: str) -> None:
    """Have the server run that image: as it is, started again, or made anew where it differs."""
    _refuse_strangers(server)
    ports = {settings.api_port: API_PORT, settings.gateway_port: GATEWAY_PORT}
    made_from = f"{image} {ports} {getsource(Container.run)}"
    shape = sha256(made_from.encode()).hexdigest()[:16]
    if server.exists() and server.shape() != shape:
        say(f"{settings.name}: made from other programs or ports, making it anew")
        server.remove()
    if server.running():
        return
    check_ports(settings)
    if server.exists() and not server.start():
        say(f"{settings.name}: cannot be started, making it anew")
        server.remove()
    if not server.exists():
        say(f"{settings.name}: starting a new server ...")
        server.run(image, shape, ports)


def _refuse_strangers(server: Container) -> None:
    if stranger := server.stranger():
        raise TestbedError(
            f"a {stranger} exists and belongs to no testbed: "
            "choose another name with SYNAPSE_TESTBED"
        )


def check_ports(settings: Settings) -> None:
    """Raise TestbedError naming every port of ours that another program holds."""
    wanted = {"SYNAPSE_PORT": settings.gateway_port, "SYNAPSE_API_PORT": settings.api_port}
    faults = [
        f"port {port} of 127.0.0.1 is taken by another program: set {variable} to a free one"
        for variable, port in wanted.items()
        if not _free(port)
    ]
    if faults:
        raise TestbedError("\n".join(faults))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait(server: Container, what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while not holds():
        if time.monotonic() > deadline:
            journal = server.exec("journalctl", "--no-pager", "--priority=warning", "--lines=30")
            raise TestbedError(f"waited {READY_LIMIT_S} s for {what}; the journal says:\n{journal}")
        time.sleep(POLL_S)


def _ask(server: Container, *question: str) -> str:
    try:
        return server.exec(*contents.KUBECTL, *question, limit_s=20)
    except TestbedError:
        return ""


def _api_answers(server: Container) -> bool:
    return _ask(server, "get", "--raw=/readyz") == "ok"


def _node_is_ready(server: Container) -> bool:
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    return _ask(server, "get", "node", "forge", f"--output=jsonpath={path}") == "True"


def _policies_are_enforced(server: Container) -> bool:
    # kube-router makes this chain with its first pass over the pods.
    chain = ["iptables", "--wait", "--list-rules", "KUBE-ROUTER-FORWARD"]
    try:
        return bool(server.exec(*chain, limit_s=20))
    except TestbedError:
        return False


def _dns_is_ready(server: Container) -> bool:
    where = ["--namespace=kube-system", "get", "deployment", "coredns"]
    return _ask(server, *where, "--output=jsonpath={.status.readyReplicas}") == "1"


def _write_kubeconfig(settings: Settings, server: Container) -> None:
    text = server.exec("cat", "/var/lib/forge/kubeconfigs/admin.conf")
    text = text.replace("https://10.41.0.1:6443", f"https://127.0.0.1:{settings.api_port}")
    settings.kubeconfig.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = settings.kubeconfig.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(settings.kubeconfig)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one process at a time work on the server of this name."""
    settings.cache.mkdir(parents=True, exist_ok=True)
    lock = os.open(settings.cache / f".{settings.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
