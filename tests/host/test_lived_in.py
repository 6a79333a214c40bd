"""A server on which K3s and other people's programs run: all of it goes on, and is reported."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from host_lab.by_hand import install_k3s
from host_lab.playing import Site
from host_lab.server import Server

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
THEIRS, NODE_PORT = 9000, 30053
# Their service in the cluster: a port of the node that leads to a pod.
EXPOSE = f"""
export KUBECONFIG=/etc/rancher/k3s/k3s.yaml
k3s kubectl -n kube-system wait --for=create deployment/coredns --timeout=60s
k3s kubectl -n kube-system wait --for=condition=Available deployment/coredns --timeout=120s
k3s kubectl -n kube-system create service nodeport theirs --tcp=53:53 --node-port={NODE_PORT}
k3s kubectl -n kube-system set selector service theirs k8s-app=kube-dns
theirs=/dev/tcp/$(hostname -I | cut -d' ' -f1)/{NODE_PORT}
timeout 60 bash -c "until (exec 3<>$theirs) 2>/dev/null; do :; done"
"""
OURS = "/etc/rancher/k3s/config.yaml.d/50-synapse.yaml"
MAIN = "systemctl show k3s --property=MainPID"
STATE = """
systemctl show k3s --property=MainPID
sysctl vm.overcommit_memory kernel.panic
nft list tables | grep synapse || true
"""


@contextmanager
def asking(address: str, ports: tuple[int, ...]) -> Iterator[list[str]]:
    """Connect again and again for as long as the block runs; what failed is in the list."""
    failed: list[str] = []
    tried: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            for port in ports:
                tried.append(port)
                try:
                    socket.create_connection((address, port), timeout=5).close()
                except OSError as fault:
                    failed.append(f"{port}: {fault}")

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield failed
    finally:
        over.set()
        asker.join()
    assert len(tried) > len(ports)


def test_what_runs_is_left_alone_until_the_site_says_enforce(bare: Server) -> None:
    install_k3s(bare)
    bare.shell(f"systemd-run --quiet --unit=theirs python3 -m http.server {THEIRS}")
    bare.shell(EXPOSE)
    site = Site(bare.name)
    before = bare.shell(STATE)

    with asking(bare.address(), (THEIRS, NODE_PORT, 6443)) as failed:
        told = site.play("cluster.yml")
        again = site.play("cluster.yml")
    assert told.rc == 0, told.text
    assert failed == []
    assert bare.shell(STATE) == before
    assert str(THEIRS) in told.text
    assert (again.rc, again.changed) == (0, []), again.text


def test_what_the_site_enforces_holds_until_it_says_so_no_more(bare: Server) -> None:
    install_k3s(bare)
    bare.shell(f"systemd-run --quiet --unit=theirs python3 -m http.server {THEIRS}")
    bare.shell(EXPOSE)
    site = Site(bare.name)
    assert site.play("cluster.yml").rc == 0
    before = bare.shell(STATE)

    told = site.play("cluster.yml", synapse_enforce=["firewall", "hardening", "image_collection"])
    again = site.play("cluster.yml", synapse_enforce=["firewall", "hardening", "image_collection"])
    assert told.rc == 0, told.text
    assert (again.rc, again.changed) == (0, []), again.text
    assert bare.shell(STATE) != before
    assert bare.shell("sysctl -n kernel.panic").strip() == "10"
    assert "protect-kernel-defaults" in bare.shell(f"cat {OURS}")
    for port in (THEIRS, NODE_PORT):
        with pytest.raises(OSError, match=r"No route|refused|timed out"):
            socket.create_connection((bare.address(), port), timeout=3)

    restarted = bare.shell(MAIN)
    told = site.play("cluster.yml")
    assert told.rc == 0, told.text
    assert bare.shell(f"ls {OURS} 2>/dev/null || true") == ""
    assert bare.shell(MAIN) == restarted
    for port in (THEIRS, NODE_PORT):
        socket.create_connection((bare.address(), port), timeout=5).close()
