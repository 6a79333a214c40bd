"""Real connections inside the testbed's server, from a pod, the node or a host beside it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from synapse_cli.cluster import Cluster
from synapse_testbed.podman import podman

Address = tuple[str, int]

# Tries all at once and prints which were accepted; DNS over UDP is asked a question.
TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
QUERY = bytes.fromhex("abcd01000001000000000000")
QUERY += b"\\x0akubernetes\\x07default\\x03svc\\x07cluster\\x05local\\x00\\x00\\x01\\x00\\x01"
def accepted(target):
    name, address, port = target
    try:
        if name.endswith("/udp"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.settimeout(3)
                asking.connect((address, port))
                asking.send(QUERY)
                return bool(asking.recv(512))
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True
targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(targets)) as pool:
    found = pool.map(accepted, targets)
print(json.dumps([name for (name, *_), open in zip(targets, found) if open]))
"""
# Hosts on a wire of their own to the server: one with an address of the house, one with a public.
HOSTS = {"lan": "192.168.77.2", "internet": "198.51.100.2"}
HOST_PORTS = (22, 53, 80, 443, 6443, 8000, 11434)
LISTEN = """
import selectors, socket, sys
ready = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    ready.register(socket.create_server(("", port)), selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in ready.select():
        key.fileobj.accept()[0].close()
"""


class Server:
    """The testbed's server, with its network namespaces."""

    def __init__(self, testbed: str) -> None:
        """Remember its container."""
        self.testbed = testbed

    def run(self, *command: str) -> str:
        """Run a command in the server."""
        return podman("exec", self.testbed, *command)

    def opened(self, inside: tuple[str, ...], targets: Mapping[str, Address]) -> set[str]:
        """The targets that accept a connection from a network namespace, entered by a command."""
        asked = json.dumps([[name, *address] for name, address in targets.items()])
        return set(json.loads(self.run(*inside, "python3", "-c", TRY, asked)))

    def within(self, pod: Any) -> tuple[str, ...]:
        """The command that enters the network of a pod."""
        container = pod.status.container_statuses[0].container_id.removeprefix("containerd://")
        tasks = self.run("ctr", "--namespace=k8s.io", "tasks", "ls").splitlines()
        process = next(line.split()[1] for line in tasks if line.startswith(container))
        return ("nsenter", f"--target={process}", "--net")

    @contextmanager
    def host(self, name: str) -> Iterator[tuple[str, ...]]:
        """A host beside the server that listens; yield the command that enters its network."""
        address = HOSTS[name]
        gateway = address.rpartition(".")[0] + ".1"
        inside = ("ip", "netns", "exec", name)
        self.run("ip", "netns", "add", name)
        try:
            self.run(
                "ip", "link", "add", f"to-{name}", "type", "veth", "peer", "wire", "netns", name
            )
            self.run("ip", "address", "add", f"{gateway}/24", "dev", f"to-{name}")
            self.run("ip", "link", "set", f"to-{name}", "up")
            self.run(*inside, "ip", "address", "add", f"{address}/24", "dev", "wire")
            self.run(*inside, "ip", "link", "set", "wire", "up")
            self.run(*inside, "ip", "link", "set", "lo", "up")
            self.run(*inside, "ip", "route", "add", "default", "via", gateway)
            ports = list(map(str, HOST_PORTS))
            podman("exec", "--detach", self.testbed, *inside, "python3", "-c", LISTEN, *ports)
            yield inside
        finally:
            pids = self.run(
                "sh", "-c", f"ip netns pids {name} | xargs --no-run-if-empty kill; true"
            )
            assert pids == ""
            self.run("ip", "link", "delete", f"to-{name}")
            self.run("ip", "netns", "delete", name)


@contextmanager
def pod_of_a_stranger(
    cluster: Cluster, namespace: str, name: str, labels: Mapping[str, str]
) -> Iterator[None]:
    """A pod that does nothing, in a namespace that is there."""
    cluster.core.create_namespaced_pod(namespace, _idle(name, labels))
    try:
        yield
    finally:
        cluster.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


def _idle(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "idle",
                    "image": "localhost/synapse/pause:dev",
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
