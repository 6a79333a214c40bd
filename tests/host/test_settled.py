"""What the server has when the play has run: service, packages, files, sockets, kernel settings."""

import json
from pathlib import Path

import pytest
from testinfra.host import Host

from host_lab.k3s import BINARY, CHECKSUMS, version
from host_lab.playing import Site
from synapse_cli.cluster import Cluster

DATA = "/var/lib/rancher/k3s"
FILES = {
    "/usr/local/bin/k3s": 0o755,
    "/etc/rancher/k3s/config.yaml": 0o600,
    "/etc/rancher/k3s/k3s.yaml": 0o600,
    f"{DATA}/server/token": 0o600,
    f"{DATA}/server/logs": 0o700,
}
KERNEL = {
    "kernel.panic": 10,
    "kernel.panic_on_oops": 1,
    "vm.overcommit_memory": 1,
    "vm.panic_on_oom": 0,
}


def test_k3s_runs_and_is_started_with_the_server(server: Host) -> None:
    service = server.service("k3s")
    assert service.is_running
    assert service.is_enabled


def test_node_is_ready_and_its_system_pods_run(server: Host) -> None:
    pods = json.loads(server.check_output("k3s kubectl get pods -n kube-system -o json"))["items"]
    assert {pod["metadata"]["name"].rpartition("-")[0].rpartition("-")[0] for pod in pods} == {
        "coredns",
        "local-path-provisioner",
        "metrics-server",
    }
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    ready = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    assert server.check_output(f"k3s kubectl get nodes -o jsonpath='{ready}'") == "True"


@pytest.mark.parametrize("path", FILES)
def test_files_are_readable_by_those_who_may(server: Host, path: str) -> None:
    file = server.file(path)
    assert file.exists
    assert (file.user, file.mode) == ("root", FILES[path])


def test_binary_is_the_one_of_the_release(server: Host, site: Site, release: Path) -> None:
    binary = server.file("/usr/local/bin/k3s")
    assert f"{binary.sha256sum}  {BINARY}\n" in (release / CHECKSUMS).read_text()
    assert version() in server.check_output("k3s --version")


@pytest.mark.parametrize("setting", KERNEL)
def test_kernel_is_set_as_the_hardened_kubelet_wants_it(server: Host, setting: str) -> None:
    assert server.sysctl(setting) == KERNEL[setting]


def test_operator_reaches_the_api(
    server: Host, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.socket("tcp://6443").is_listening
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(site.kubeconfig))
    assert Cluster("kube-system").pods("k8s-app=kube-dns")


def test_firewall_is_loaded_at_each_start(server: Host) -> None:
    assert server.package("nftables").is_installed
    assert server.service("synapse-firewall").is_enabled


def test_secrets_are_encrypted(server: Host) -> None:
    assert "Encryption Status: Enabled" in server.check_output("k3s secrets-encrypt status")


def test_no_token_stands_in_an_argument_or_a_log(server: Host) -> None:
    token = server.file(f"{DATA}/server/token").content_string.strip().rpartition(":")[2]
    shown = server.check_output("ps -eo args; journalctl --no-pager --output=cat")
    assert token
    assert token not in shown


def test_second_run_changes_nothing_and_restarts_nothing(server: Host, site: Site) -> None:
    def started() -> str:
        return str(
            server.check_output("systemctl show k3s --property=MainPID,ActiveEnterTimestamp")
        )

    before = started()
    told = site.play("cluster.yml")
    assert (told.rc, told.changed) == (0, []), told.text
    assert started() == before
