"""K3s is installed on an empty server, adopted where it runs, and refused in a sentence."""

from dataclasses import replace
from typing import Any

import pytest

from host_facts_of import facts, forge, with_k3s, with_system
from synapse_host.facts import Disk, HostFacts, K3s
from synapse_host.k3s_decide import decide
from synapse_host.k3s_wishes import Wishes

VERSION = "v1.36.3+k3s1"
WISHES = Wishes(version=VERSION)
THEIRS = K3s(version=VERSION, binary="/usr/local/bin/k3s", unit="active", has_run=True,
             datastore="sqlite", config={"secrets-encryption": True})  # fmt: skip


def told(found: HostFacts, **wishes: Any) -> str:
    """Every sentence of refusal."""
    return " ".join(decide(found, replace(WISHES, **wishes)).refusals)


def test_an_empty_server_gets_k3s() -> None:
    decision = decide(facts(), WISHES)
    assert (decision.action, decision.refusals, decision.notes) == ("install", (), ())


def test_a_k3s_that_runs_is_adopted_without_a_word() -> None:
    decision = decide(facts(k3s=THEIRS), WISHES)
    assert (decision.action, decision.refusals, decision.notes) == ("adopt", (), ())


def test_a_k3s_that_synapse_installed_is_its_own() -> None:
    decision = decide(forge(), WISHES)
    assert (decision.action, decision.refusals, decision.notes) == ("install", (), ())


def test_an_installation_that_was_cut_is_our_own() -> None:
    cut = K3s(version=VERSION, binary="/usr/local/bin/k3s", config_mode="0600", ours=VERSION)
    decision = decide(facts(k3s=cut), WISHES)
    assert (decision.action, decision.refusals) == ("install", ())


@pytest.mark.parametrize("version", ["v1.34.1+k3s1", "v1.37.1+k3s1"])
@pytest.mark.parametrize("found", [facts(k3s=THEIRS), forge()])
def test_another_version_stays_as_it_is(found: HostFacts, version: str) -> None:
    decision = decide(with_k3s(found, version=version), WISHES)
    assert decision.refusals == ()
    assert f"K3s is {version}, and this Synapse brings {VERSION}" in decision.notes[0]
    assert "K3s stays as it is." in decision.notes[0]


def test_secrets_in_clear_text_are_said_and_never_switched() -> None:
    notes = decide(facts(k3s=replace(THEIRS, config={})), WISHES).notes
    assert "secrets-encrypt enable" in notes[0]
    assert not decide(
        facts(k3s=replace(THEIRS, config={}, arguments=("server", "--secrets-encryption"))), WISHES
    ).notes


def test_what_is_not_written_into_somebodys_k3s_is_said() -> None:
    wishes = replace(WISHES, proxy={"http": "http://p"}, disks={"models": None, "backups": "/b"})
    (note,) = decide(facts(k3s=THEIRS), wishes).notes
    assert "so synapse_proxy is not written" in note


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (facts(k3s=K3s(version=VERSION, unit="active", is_agent=True)), "an agent of another"),
        (facts(containers=("microk8s",)), "MicroK8s runs on this server"),
        (facts(containers=("docker", "kubelet")), "a kubelet that is not K3s'"),
        (facts(containers=("rke2",)), "RKE2 runs"),
        (facts(containers=("k0s",)), "k0s runs"),
        (facts(k3s=replace(THEIRS, unit="failed")), "its unit is failed. Start it"),
        (facts(k3s=replace(THEIRS, version="", unit="inactive")), "(no program)"),
        (facts(k3s=replace(THEIRS, unit="absent")), "no unit k3s.service runs it"),
        (facts(k3s=K3s(has_run=True)), "holds the state of a K3s that is gone"),
        (facts(k3s=K3s(config_mode="0644")), "Move its keys to k3s_config"),
        (facts(k3s=K3s(config_faults=("config.yaml:3 is no YAML.",))), "no YAML. Mend it"),
        (with_system(facts(), has_systemd=False), "does not run systemd"),
        (with_system(facts(), architecture="riscv64"), "this server is riscv64"),
        (with_system(facts(), has_default_route=False), "no default route"),
        (facts(disks=(Disk("/", "ext4", 20.0, 1.5),)), "/ has 1.5 GiB left, and K3s needs 4 GiB"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_a_sentence(found: HostFacts, sentence: str) -> None:
    assert sentence in told(found)
    assert told(found).endswith((".", ")"))


def test_docker_beside_it_is_no_reason_to_refuse() -> None:
    assert told(facts(containers=("docker", "podman"))) == ""


def test_a_second_server_is_a_later_version() -> None:
    assert "has 3 hosts: agents and further servers are a later version" in told(facts(), servers=3)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("server", "agents and further servers"),
        ("cluster-init", "embedded etcd"),
        ("datastore-endpoint", "an external datastore"),
        ("token", "agents are a later version"),
        ("system-default-registry", "an air-gapped server"),
        ("data-dir", "synapse_disks: {images"),
        ("secrets-encryption", "on from the first start"),
    ],
)
def test_a_key_that_makes_something_else_of_the_server_is_refused(key: str, why: str) -> None:
    assert f"k3s_config: {key}: " in told(facts(), config={key: "x"})
    assert why in told(facts(), config={key: "x"})


def test_room_is_asked_for_on_the_disk_that_the_site_names() -> None:
    disks = (Disk("/", "ext4", 20.0, 9.0), Disk("/mnt/images", "ext4", 900.0, 2.0))
    found = facts(disks=disks)
    assert told(found) == ""
    assert "/mnt/images has 2.0 GiB left" in told(found, disks={"images": "/mnt/images/k3s"})


def test_data_that_would_have_to_move_is_refused_before_an_empty_cluster_starts() -> None:
    assert "would start an empty cluster" in told(forge(), disks={"images": "/mnt/images"})


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = with_system(facts(containers=("k0s",)), has_systemd=False)
    assert len(decide(found, replace(WISHES, servers=2, config={"token": "x"})).refusals) == 4
