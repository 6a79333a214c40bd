"""All that the role does follows from the facts as they came; nothing else is written."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from host_facts_of import facts, forge, with_k3s, with_system
from synapse_host.facts import HostFacts, K3s
from synapse_host.k3s_kubeconfig import api_url, is_own, kubeconfig
from synapse_host.k3s_plan import plan
from synapse_host.k3s_wishes import wishes

VERSION = "v1.36.3+k3s1"
K3S_YAML = """
apiVersion: v1
clusters:
- cluster: {certificate-authority-data: Q0E=, server: https://127.0.0.1:6443}
  name: default
contexts:
- context: {cluster: default, user: default}
  name: default
current-context: default
kind: Config
users:
- name: default
  user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}
"""


def planned(found: HostFacts, **wishes: Any) -> dict[str, Any]:
    return plan(asdict(found), {"version": VERSION, "enforce": None, **wishes})


def test_an_empty_server_is_installed_and_may_be_restarted() -> None:
    found = planned(facts())
    assert (found["is_ours"], found["artefacts"], found["may_restart"]) == (True, True, True)
    assert (found["architecture"], found["version"]) == ("amd64", VERSION)
    assert found["pods"] == ["coredns", "local-path-provisioner", "metrics-server"]


def test_an_adopted_k3s_is_not_fetched_and_not_restarted_unasked() -> None:
    theirs = facts(k3s=K3s(version=VERSION, unit="active", config={"disable": ["metrics-server"]}))
    found = planned(theirs)
    assert (found["is_ours"], found["artefacts"], found["may_restart"]) == (False, False, False)
    assert found["pods"] == ["coredns", "local-path-provisioner"]
    assert planned(theirs, enforce=["hardening"])["may_restart"]


def test_a_k3s_that_a_hand_upgraded_is_kept_and_its_release_not_fetched() -> None:
    found = planned(with_k3s(forge(), version="v1.37.1+k3s1"))
    assert (found["is_ours"], found["artefacts"]) == (True, False)


def test_the_node_is_named_as_k3s_names_it() -> None:
    assert planned(with_system(facts(), hostname="Forge"))["node"] == "forge"
    assert planned(facts(), config={"node-name": "gpu-1"})["node"] == "gpu-1"


def test_the_pods_of_what_is_disabled_are_not_waited_for() -> None:
    assert planned(facts(), config={"disable": ["local-storage"]})["pods"] == [
        "coredns",
        "metrics-server",
    ]


def test_what_modules_may_show_holds_no_password() -> None:
    found = planned(
        facts(),
        proxy={"http": "http://u:hunter2@proxy"},
        registries={"configs": {"r": {"auth": {"password": "hunter2"}}}},
        config={"vpn-auth": "name=tailscale,joinKey=hunter2"},
    )
    assert "hunter2" not in str(found["files"])
    assert str(found["secret_files"]).count("hunter2") == 3


def test_a_wish_that_nobody_knows_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="nobody knows the wishes agents"):
        wishes({"version": VERSION, "agents": 3})


def test_a_kubeconfig_names_the_server_and_its_address_and_is_known_again() -> None:
    text = kubeconfig(K3S_YAML, "forge", "https://192.168.1.10:6443")
    found = yaml.safe_load(text)
    assert found["current-context"] == "synapse-forge"
    assert found["clusters"][0]["cluster"] == {
        "certificate-authority-data": "Q0E=",
        "server": "https://192.168.1.10:6443",
    }
    assert found["users"][0]["user"]["client-key-data"] == "a2V5"
    assert is_own(text, "forge")
    assert not is_own(text, "other")
    assert not is_own(K3S_YAML, "forge")
    assert is_own("", "forge")


@pytest.mark.parametrize("text", ["", "a: 1", "clusters: []\nusers: []"])
def test_what_is_no_kubeconfig_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no kubeconfig"):
        kubeconfig(text, "forge", "https://x")


@pytest.mark.parametrize(
    ("reached_at", "resolves", "url"),
    [
        ("", True, "https://127.0.0.1:6443"),
        ("forge.lan", True, "https://forge.lan:6443"),
        ("only-in-ssh-config", False, "https://192.168.1.10:6443"),
        ("fd00::1", True, "https://[fd00::1]:6443"),
    ],
)
def test_the_api_is_found_where_the_server_is(reached_at: str, resolves: bool, url: str) -> None:
    raw = {"system": {"address": "192.168.1.10"}}
    assert api_url(raw, reached_at, 6443, lambda _: resolves) == url


def test_the_port_of_the_api_is_the_one_that_k3s_was_told() -> None:
    assert planned(facts())["api_port"] == 6443
    assert planned(facts(), config={"https-listen-port": 7443})["api_port"] == 7443
    theirs = K3s(version=VERSION, unit="active", config={"https-listen-port": 7443})
    assert planned(facts(k3s=theirs))["api_port"] == 7443
    for words in ("server --https-listen-port=7443", "server --https-listen-port 7443"):
        told = K3s(version=VERSION, unit="active", arguments=tuple(words.split()))
        assert planned(facts(k3s=told))["api_port"] == 7443
    assert api_url({}, "", 7443, lambda _: True) == "https://127.0.0.1:7443"


def test_no_task_puts_the_proxy_and_its_password_into_a_command_line() -> None:
    tasks = Path(__file__).parents[3] / "roles/k3s/tasks"
    for file in tasks.glob("*.yml"):
        assert "environment:" not in file.read_text(), file
