"""What the module `host_facts` reads of K3s; nothing secret leaves the server."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from role_modules import module
from server_tree import Tree
from synapse_host.lived_in import lived_in_by, was_lived_in

K3S = "/var/lib/rancher/k3s"
CONTAINERD = f"{K3S}/agent/etc/containerd"
CONFIG = """\
# by hand
token: K10hunter2::server:abc
"agent-token": 'hunter2'
agent-token-file: /etc/k3s-token
tls-san:
- forge
- "forge.lan"
etcd-s3-secret-key: hunter2
datastore-endpoint: >-
  postgres://k3s:hunter2@db/k3s
kube-apiserver-arg: [oidc-client-secret=hunter2, "audit-log-maxage=30"]
kubelet-arg+: max-pods=200
secrets-encryption: true
"""
UNIT = (
    "{ path=/usr/local/bin/k3s ; argv[]=/usr/local/bin/k3s server --token hunter2 "
    "--agent-token=hunter2 --disable traefik ; ignore_errors=no ; start_time=[n/a] }"
)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    tree.file("/usr/local/bin/k3s", "#!/bin/sh\necho 'k3s version v1.33.5+k3s1 (f2f0)'\n", 0o755)
    tree.unit("k3s.service", MainPID="900", ExecStart=UNIT)
    tree.file("/etc/rancher/k3s/config.yaml", CONFIG, mode=0o644)
    tree.file(f"{K3S}/server/db/state.db", "")
    return tree


def test_a_k3s_that_was_there_before(tree: Tree) -> None:
    facts = tree.facts()
    k3s = facts.k3s
    assert (k3s.version, k3s.binary, k3s.unit) == ("v1.33.5+k3s1", "/usr/local/bin/k3s", "active")
    assert (k3s.main_pid, k3s.has_run, k3s.is_agent, k3s.config_mode) == (900, True, False, "0644")
    assert (k3s.datastore, k3s.data_dir, k3s.ours, k3s.was_lived_in) == ("external", K3S, "", None)
    assert k3s.arguments == ("server", "--token", "--agent-token", "--disable", "traefik")
    assert k3s.config["tls-san"] == ["forge", "forge.lan"]
    assert k3s.config["secrets-encryption"] is True
    assert k3s.config["agent-token-file"] == "/etc/k3s-token"
    assert k3s.config["kubelet-arg"] == ["max-pods=200"]
    assert not k3s.config_faults
    assert (lived_in_by(facts), was_lived_in(facts)) == (("K3s",), True)


def test_no_secret_leaves_the_server(tree: Tree) -> None:
    tree.file("/etc/systemd/system/k3s.service.env", "K3S_TOKEN=hunter2\n")
    tree.file("/etc/rancher/k3s/config.yaml.d/20-more.yaml", "vpn-auth: 'name=t,joinKey=hunter2'\n")
    sent = json.dumps(tree.raw())
    assert "hunter2" not in sent
    assert "audit-log-maxage=30" in sent


@pytest.mark.parametrize(
    "text",
    ["{token: hunter2}\n", '"to\\u006ben": hunter2\n', 'token: "a\nb: hunter2"\n',
     "? token\n: hunter2\n", "tls-san: [a]\n!!str token: hunter2\n", "a: &x\n*x : hunter2\n"],
)  # fmt: skip
def test_what_might_hide_a_secret_is_not_sent_at_all(tree: Tree, text: str) -> None:
    tree.file("/etc/rancher/k3s/config.yaml", text)
    raw = tree.raw()
    assert "hunter2" not in json.dumps(raw)
    assert raw["k3s"]["config_files"] == []
    (told,) = tree.facts().k3s.config_faults
    assert told.startswith(
        "/etc/rancher/k3s/config.yaml is written in a form that Synapse does not"
    )


def test_later_files_win_and_add(tree: Tree) -> None:
    tree.file("/etc/rancher/k3s/config.yaml.d/10-a.yaml", "write-kubeconfig-mode: '0600'\n")
    tree.file(
        "/etc/rancher/k3s/config.yaml.d/20-b.yaml", "tls-san+: [ai.lan]\nkubelet-arg: [a=b]\n"
    )
    config = tree.facts().k3s.config
    assert config["write-kubeconfig-mode"] == "0600"
    assert config["tls-san"] == ["forge", "forge.lan", "ai.lan"]
    assert config["kubelet-arg"] == ["a=b"]


def test_a_config_that_is_no_yaml_is_told_with_its_line(tree: Tree) -> None:
    tree.file("/etc/rancher/k3s/config.yaml", "tls-san:\n- a\n  b: [\n")
    (told,) = tree.facts().k3s.config_faults
    assert told.startswith("/etc/rancher/k3s/config.yaml:")
    assert "is no YAML" in told


def test_containerds_templates_and_runtimes(tree: Tree) -> None:
    tree.file(f"{CONTAINERD}/config.toml.tmpl", '[plugins."io.containerd.grpc.v1.cri"]\n')
    tree.file(f"{CONTAINERD}/config.toml", (
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\n"
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n"
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.'nvidia']\n"
    ))  # fmt: skip
    k3s = tree.facts().k3s
    assert (k3s.templates, k3s.template_has_base) == (("config.toml.tmpl",), False)
    assert k3s.containerd_runtimes == ("nvidia", "runc")
    tree.file(f"{CONTAINERD}/config.toml.tmpl", '{{ template "base" . }}\n')
    assert tree.facts().k3s.template_has_base


def test_a_config_toml_that_a_hand_wrote_into(tree: Tree) -> None:
    config = tree.file(f"{CONTAINERD}/config.toml", "version = 3\n")
    ticks = os.sysconf("SC_CLK_TCK")
    tree.file("/proc/stat", "cpu 1 2\nbtime 1000000\n")
    tree.process(950, "containerd", command=f"containerd\0-c\0{CONTAINERD}/config.toml")
    tree.file("/proc/950/stat", f"950 (con tainerd) S {' 0' * 18} {100 * ticks} 0\n")
    os.utime(config, (1000099, 1000099))
    assert not tree.facts().k3s.containerd_edited
    os.utime(config, (1000500, 1000500))
    assert tree.facts().k3s.containerd_edited


def test_when_certificates_end(tree: Tree) -> None:
    folder = tree.root / f"{K3S}/server/tls".lstrip("/")
    folder.mkdir()
    for name, days in (("serving-kube-apiserver", 90), ("client-admin", 30), ("server-ca", 1)):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-subj", "/CN=x", "-days", str(days), "-keyout", "/dev/null",
             "-out", str(folder / f"{name}.crt")],
            check=True, capture_output=True,
        )  # fmt: skip
    first = subprocess.run(
        ["openssl", "x509", "-enddate", "-noout", "-dateopt", "iso_8601", "-in",
         str(folder / "client-admin.crt")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = first.stdout.strip().removeprefix("notAfter=").replace(" ", "T")
    assert tree.facts().k3s.certificates_end == told


def test_the_record_says_what_was_here_first(tree: Tree) -> None:
    tree.file("/etc/synapse/server.json", '{"k3s": "v1.36.3+k3s1", "was_lived_in": false}')
    facts = tree.facts()
    assert (facts.k3s.ours, facts.k3s.was_lived_in) == ("v1.36.3+k3s1", False)
    assert not was_lived_in(facts)
    tree.file("/etc/synapse/server.json", '{"k3s": ')
    assert tree.facts().k3s.was_lived_in is True
    assert any("server.json is damaged" in one for one in tree.facts().unseen)


def test_an_agent_is_no_server(tree: Tree) -> None:
    tree.unit("k3s.service", LoadState="not-found", ActiveState="inactive")
    tree.unit("k3s-agent.service", "failed")
    k3s = tree.facts().k3s
    assert (k3s.is_agent, k3s.unit) == (True, "failed")


def test_a_file_that_root_alone_reads_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    server = module("host", "host_facts").Server(str(tmp_path), 10)
    monkeypatch.setattr("builtins.open", refused)
    told = server.text("/etc/rancher/k3s/config.yaml"), server.text("/proc/1/environ")
    monkeypatch.undo()
    assert told == ("", "")
    assert server.unseen == {"/etc/rancher/k3s/config.yaml may be read by root only."}
