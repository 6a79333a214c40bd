"""K3s' configuration follows the facts of the server, and what the site lets Synapse do there."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from host_facts_of import facts, forge, with_k3s, with_system
from synapse_host.facts import HostFacts, K3s
from synapse_host.k3s_config import config, no_proxy, reservations
from synapse_host.k3s_files import HostFile, environment, files, unit
from synapse_host.k3s_wishes import CONFIG, DROP_IN, ENVIRONMENT, REGISTRIES, UNIT, Wishes

WISHES = Wishes(version="v1.36.3+k3s1", reached_at="192.168.1.10")
LIVED_IN = with_k3s(facts(), was_lived_in=True)
ADOPTED = facts(k3s=K3s(version="v1.34.1+k3s1", unit="active", was_lived_in=True,
                        data_dir="/srv/k3s"))  # fmt: skip


def made(found: HostFacts, action: Any = "install", **wishes: Any) -> dict[str, Any]:
    """The configuration for a server."""
    return config(found, replace(WISHES, **wishes), action)


def kubelet(found: HostFacts, **wishes: Any) -> dict[str, str]:
    """What the kubelet is told."""
    return dict(one.split("=", 1) for one in made(found, **wishes)["kubelet-arg"])


def test_an_empty_server_is_hardened_and_its_images_collected() -> None:
    found = made(facts())
    assert found["write-kubeconfig-mode"] == "0600"
    assert found["secrets-encryption"] is True
    assert found["protect-kernel-defaults"] is True
    assert found["tls-san"] == ["192.168.1.10"]
    assert found["disable"] == ["traefik"]
    assert "audit-policy-file=/var/lib/rancher/k3s/server/audit.yaml" in found["kube-apiserver-arg"]
    assert kubelet(facts())["image-gc-high-threshold"] == "90"


def test_a_server_that_is_lived_in_is_neither_hardened_nor_collected_unasked() -> None:
    found = made(LIVED_IN)
    assert found["secrets-encryption"] is True
    assert "protect-kernel-defaults" not in found
    assert "kube-apiserver-arg" not in found
    assert not [name for name in kubelet(LIVED_IN) if "image" in name or "tls" in name]


def test_each_is_enforced_alone_where_the_site_says_so() -> None:
    assert "image-gc-high-threshold" in kubelet(LIVED_IN, enforce=("image_collection",))
    assert "protect-kernel-defaults" not in made(LIVED_IN, enforce=("image_collection",))
    assert "protect-kernel-defaults" in made(LIVED_IN, enforce=("hardening",))
    assert "image-gc-high-threshold" not in kubelet(facts(), enforce=("hardening",))


def test_an_adopted_k3s_gets_only_what_the_site_enforces_and_beside_its_own() -> None:
    assert made(ADOPTED, "adopt") == {}
    assert list(made(ADOPTED, "adopt", enforce=("image_collection",))) == ["kubelet-arg+"]
    found = made(ADOPTED, "adopt", enforce=("hardening",))
    assert found["protect-kernel-defaults"] is True
    assert "audit-policy-file=/srv/k3s/server/audit.yaml" in found["kube-apiserver-arg+"]
    assert not found.keys() & {"secrets-encryption", "tls-san", "disable", "data-dir"}


def test_a_k3s_that_another_hand_brought_to_an_empty_server_is_its_own() -> None:
    theirs = with_k3s(ADOPTED, was_lived_in=False)
    assert made(theirs, "adopt") == {}
    assert [one.path for one in files(theirs, WISHES, "adopt")] == [DROP_IN]


@pytest.mark.parametrize("memory_gib", [3.8, 62.6, 1007.0])
def test_what_is_kept_back_from_pods_leaves_most_to_them(memory_gib: float) -> None:
    kept = reservations(with_system(facts(), memory_gib=memory_gib))
    memory = [int(word.split("memory=")[1].split("Mi")[0]) for word in kept[:2]]
    assert 0 < sum(memory) / 1024 < memory_gib / 6


def test_the_same_machine_with_another_kernel_keeps_back_the_same() -> None:
    one, other = (with_system(facts(), memory_gib=gib) for gib in (7.71, 7.74))
    assert reservations(one) == reservations(other)


def test_every_signal_of_eviction_is_watched_still() -> None:
    (evicted,) = [one for one in reservations(facts()) if one.startswith("eviction-hard=")]
    for signal in (
        "memory.available",
        "nodefs.available",
        "nodefs.inodesFree",
        "imagefs.available",
    ):
        assert f"{signal}<" in evicted


def test_disks_of_the_site_hold_the_state_and_the_volumes() -> None:
    disks = {"images": "/mnt/images", "models": "/mnt/models", "backups": None}
    found = made(facts(), disks=disks)
    assert found["data-dir"] == "/mnt/images/k3s"
    assert found["default-local-storage-path"] == "/mnt/models"
    assert "audit-policy-file=/mnt/images/k3s/server/audit.yaml" in found["kube-apiserver-arg"]
    assert "RequiresMountsFor=/mnt/images /mnt/models\n" in unit(replace(WISHES, disks=disks))
    assert "RequiresMountsFor" not in unit(WISHES)


def test_further_keys_join_those_of_the_role() -> None:
    wish = {"flannel-iface": "eth1", "disable": ["servicelb"], "kubelet-arg+": ["v=2"]}
    found = made(facts(), config=wish)
    assert found["flannel-iface"] == "eth1"
    assert found["disable"] == ["traefik", "servicelb"]
    assert found["kubelet-arg"][-1] == "v=2"
    assert "kubelet-arg+" not in found


def test_an_ingress_keeps_traefik_and_labels_are_the_sites() -> None:
    found = made(facts(), has_ingress=True, labels={"room": "cellar"})
    assert "disable" not in found
    assert found["node-label"] == ["room=cellar"]


def test_the_cluster_and_the_node_are_reached_without_the_proxy() -> None:
    proxy = {"http": "http://p:3128", "https": None, "no_proxy": [".lan"]}
    wishes = replace(WISHES, proxy=proxy, config={"cluster-cidr": "10.50.0.0/16"})
    own = no_proxy(facts(), wishes).split(",")
    assert {"10.50.0.0/16", "10.43.0.0/16", ".svc", ".cluster.local", "127.0.0.0/8"} < set(own)
    assert {"192.168.1.10", "forge", ".lan"} < set(own)
    assert "HTTPS_PROXY" not in environment(facts(), wishes)


def test_a_password_of_the_proxy_survives_systemds_reading() -> None:
    wishes = replace(WISHES, proxy={"https": 'http://u:a"b\\c$d@p:3128'})
    assert 'HTTPS_PROXY="http://u:a\\"b\\\\c$d@p:3128"\n' in environment(facts(), wishes)


def by_path(found: HostFacts, action: Any = "install", **wishes: Any) -> dict[str, HostFile]:
    """The files of a server."""
    return {one.path: one for one in files(found, replace(WISHES, **wishes), action)}


def test_every_file_has_its_mode_and_those_with_passwords_are_never_shown() -> None:
    registries = {"configs": {"r:5000": {"auth": {"password": "x"}}}}
    found = by_path(forge(), registries=registries, proxy={"http": "http://u:p@proxy"})
    assert {found[path].mode for path in (CONFIG, REGISTRIES, ENVIRONMENT)} == {"0600"}
    assert found[UNIT].mode == "0644"
    assert {path for path, one in found.items() if one.is_secret} == {REGISTRIES, ENVIRONMENT}
    assert yaml.safe_load(found[REGISTRIES].content or "") == registries
    logs = found["/var/lib/rancher/k3s/server/logs"]
    assert (logs.content, logs.mode, logs.restarts) == (None, "0700", False)


def test_files_that_nobody_wishes_any_more_go() -> None:
    found = by_path(forge())
    assert (found[REGISTRIES].content, found[REGISTRIES].mode) == (None, "")
    assert (found[ENVIRONMENT].content, found[ENVIRONMENT].mode) == (None, "")


def test_of_an_adopted_k3s_one_file_is_ours_and_it_goes_without_a_restart() -> None:
    assert list(by_path(ADOPTED, "adopt")) == [DROP_IN]
    assert not by_path(ADOPTED, "adopt")[DROP_IN].restarts
    enforced = by_path(ADOPTED, "adopt", enforce=("hardening",))
    assert "/srv/k3s/server/psa.yaml" in enforced
    assert enforced[DROP_IN].restarts


def test_nothing_of_k3s_stands_in_arguments() -> None:
    (start,) = [line for line in unit(WISHES).splitlines() if line.startswith("ExecStart=")]
    assert start == "ExecStart=/usr/local/bin/k3s server"
