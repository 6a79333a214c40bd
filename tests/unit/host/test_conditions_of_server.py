"""Every condition of a server, a row each: what is there, how much it matters, what is said.

Numbers in brackets are the acceptance lines, the public failures that a condition comes from.
Levels: `stops` is wrong and a deployment waits for it, `wrong` is mended by a deployment or not in
its way, `note` is worth knowing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conditions import Row, assert_said, assert_speaks_up
from host_facts_of import facts, forge, with_k3s, with_system
from synapse_host import rules
from synapse_host.facts import Disk, Firewalls, HostFacts, Listener

BARE, SERVED = facts(), forge()
SHIPPED = {"synapse_server": {"k3s": "v1.36.3+k3s1"}}
SSD = Disk("/mnt/ssd", "ext4", 1800, 1700)
FULL = replace(SERVED, disks=(Disk("/", "ext4", 1000, 140),))
BURSTING = replace(SERVED, disks=(Disk("/", "ext4", 1000, 40),))
CATALOGUE: dict[str, Any] = {
    "synapse_gpus": [{"vram_gib": 31.4}],
    "synapse_models": [{"engine": "vllm", "disk_gib": 17}, {"engine": "ollama", "disk_gib": 5}],
    "synapse_gpu_store_gib": 200,
    "synapse_cpu_store_gib": 100,
}
POSTGRES = Listener("tcp", "0.0.0.0", 5432, "postgres")
HOME = replace(with_k3s(SERVED, was_lived_in=True), listeners=(*SERVED.listeners, POSTGRES))
CLOSED = replace(SERVED, firewalls=Firewalls(nftables="active", ours=True))


def at(port: int, program: str) -> HostFacts:
    """A bare server with one more program."""
    return replace(BARE, listeners=(*BARE.listeners, Listener("tcp", "::", port, program)))


def on(path: str, kind: str, **disks: str) -> tuple[HostFacts, dict[str, Any]]:
    """A server with a disk of this kind at a path, and a site that uses it."""
    return replace(BARE, disks=(*BARE.disks, Disk(path, kind, 900, 800))), {"synapse_disks": disks}


CONDITIONS: dict[str, Row] = {
    # The machine.
    "not all was seen": (replace(BARE, unseen=("Not root.",)), {},
        "note", "not looked at", "Not root."),
    "another distribution": (with_system(BARE, id="fedora"), {},
        "stops", "system", "Synapse adopts what it finds"),
    "no systemd": (with_system(BARE, has_systemd=False), {},
        "stops", "system", "not started by systemd"),
    "a processor without K3s": (with_system(BARE, architecture="riscv64"), {},
        "stops", "system", "x86_64 and aarch64"),
    "nobody sets the clock": (with_system(BARE, clock_synchronized=False, clock_service=""), {},
        "wrong", "clock", "--tags cluster` installs systemd-timesyncd"),
    "nobody sets the clock where others live": (
        replace(with_system(BARE, clock_synchronized=None, clock_service=""), containers=("a",)),
        {},
        "note", "clock", "you decide who sets it"),
    "a container has its machine's clock": (
        with_system(BARE, clock_synchronized=False, clock_service="", container="lxc"), {},
        "ok", "clock", "its machine's"),
    "the clock is not set yet": (with_system(BARE, clock_synchronized=False), {},
        "note", "clock", "timedatectl timesync-status"),
    "swap": (with_system(BARE, swap_gib=8.0), {},
        "note", "swap", "sudo swapoff -a"),
    "too little memory": (with_system(BARE, memory_gib=1.0), {},
        "stops", "cores and memory", "2 cores and 2 GiB"),
    "one core": (with_system(BARE, cores=1), {},
        "note", "cores and memory", "2 cores"),
    "less memory than the site says": (BARE, {"synapse_memory_gib": 196},
        "wrong", "cores and memory", "write 62 into platform.yml"),
    "a reboot is pending": (with_system(BARE, reboot_required_by=("linux-image",)), {},
        "note", "reboot", "sudo reboot"),
    "[17] sudo-rs": (with_system(BARE, sudo="sudo-rs"), {},
        "note", "sudo", "ansible_become_exe: sudo.ws"),
    "no default route": (with_system(BARE, has_default_route=False), {},
        "stops", "k3s", "no default route"),
    "few inotify instances": (
        with_system(BARE, sysctls={"fs.inotify.max_user_instances": "128"}), {},
        "note", "file limits", "--tags cluster"),
    "few open files": (with_system(BARE, open_files=1024), {},
        "note", "file limits", "DefaultLimitNOFILE=65536"),
    # Disks.
    "a folder on no disk": (BARE, {"synapse_disks": {"models": "/mnt/models"}},
        "stops", "disk for models", "no disk is mounted at /mnt/models"),
    "images on a network share": (*on("/mnt/nas", "nfs4", images="/mnt/nas"),
        "stops", "disk for images", "disk of the server itself"),
    "models on a network share": (*on("/mnt/nas", "nfs4", models="/mnt/nas"),
        "note", "disk for models", "read at each wake"),
    "[16] models would fill the image disk": (
        replace(BARE, disks=(Disk("/", "ext4", 250, 230),)), CATALOGUE,
        "note", "room for models and images", "models would fill the disk"),
    "models do not fit at all": (replace(BARE, disks=(Disk("/", "ext4", 30, 20),)), CATALOGUE,
        "wrong", "room for models and images", "name a larger disk in synapse_disks"),
    "[16] the disk with images is full": (FULL, {},
        "note", "disk with images", "From 85 % Kubernetes removes images"),
    "pods are about to be evicted": (BURSTING, {},
        "stops", "disk with images", "make room"),
    # K3s.
    "an agent": (with_k3s(SERVED, is_agent=True), SHIPPED,
        "stops", "k3s", "an agent of another K3s cluster"),
    "another kubernetes": (replace(BARE, containers=("microk8s",)), SHIPPED,
        "stops", "k3s", "MicroK8s"),
    "[13] another version": (with_k3s(SERVED, version="v1.35.0+k3s1"), SHIPPED,
        "note", "k3s", "K3s stays as it is"),
    "data lie elsewhere": (with_k3s(SERVED, data_dir="/data"), SHIPPED,
        "stops", "k3s", "K3s keeps its data in /data"),
    "[15] ours has ended": (with_k3s(SERVED, unit="failed"), SHIPPED,
        "wrong", "k3s", "sudo journalctl -u k3s"),
    "the API's port is taken": (at(6443, "haproxy"), {},
        "stops", "port 6443", "stop the program"),
    "the gateway's port is taken": (at(8000, "python3"), {"synapse_gateway_port": 8000},
        "stops", "port 8000", "synapse_gateway_port"),
    "[12] anybody reads config.yaml": (with_k3s(SERVED, config_mode="0644"), SHIPPED,
        "wrong", "config.yaml", "sudo chmod 600"),
    "[12] a token in the arguments": (with_k3s(SERVED, arguments=("server", "--token")), SHIPPED,
        "wrong", "k3s arguments", "`token-file`"),
    "a token file in the arguments": (
        with_k3s(SERVED, arguments=("server", "--token-file=/a")), SHIPPED,
        "ok", "k3s", ""),
    "certificates end in 60 days": (
        with_k3s(SERVED, certificates_end="2027-01-30T08:00:00Z"), SHIPPED,
        "note", "certificates", "restart k3s"),
    "[19] certificates are 360 days old": (
        with_k3s(SERVED, certificates_end="2026-12-06T08:00:00Z"), SHIPPED,
        "wrong", "certificates", "restart k3s"),
    "certificates are over": (with_k3s(SERVED, certificates_end="2026-11-30T08:00:00Z"), SHIPPED,
        "wrong", "certificates", "ended on 2026-11-30"),
    "[3] config.toml was edited": (with_k3s(SERVED, containerd_edited=True), SHIPPED,
        "note", "containerd", "writes /var/lib/rancher/k3s/agent/etc/containerd/config.toml anew"),
    "[3] a template without the base": (
        with_k3s(SERVED, templates=("config-v3.toml.tmpl",), template_has_base=False), SHIPPED,
        "wrong", "containerd", 'template "base" .'),
    "[3] an old template": (with_k3s(SERVED, templates=("config.toml.tmpl",)), SHIPPED,
        "note", "containerd", "config-v3.toml.tmpl"),
    "profiles for anybody": (with_k3s(SERVED, config={"enable-pprof": True}), SHIPPED,
        "note", "anonymous access", "without a key"),
    "the kubelet's open port": (
        with_k3s(SERVED, config={"kubelet-arg": ["read-only-port=10255"]}), SHIPPED,
        "note", "anonymous access", "read-only-port=10255"),
    # What is closed, hardened and collected.
    "a server that is lived in": (HOME, SHIPPED,
        "note", "firewall", "postgres is no longer reached from outside at tcp 5432"),
    "a server that is not closed yet": (SERVED, SHIPPED,
        "note", "firewall", "--tags cluster"),
    "a server that is closed": (CLOSED, SHIPPED,
        "ok", "firewall", "nftables: only 22/tcp"),
    "a server whose ufw decides": (
        replace(SERVED, firewalls=Firewalls(ufw="active", ours=True)), SHIPPED,
        "ok", "firewall", "beside what its owner opened in ufw, only 6443/tcp"),
    "hardening is asked for and not done": (
        with_k3s(SERVED, config={}), SHIPPED | {"synapse_enforce": ["hardening"]},
        "note", "hardening", "--tags cluster` does it, and restarts K3s once"),
    "collection is asked for and not done": (
        with_k3s(SERVED, config={}), SHIPPED | {"synapse_enforce": ["image_collection"]},
        "note", "image collection", "--tags cluster` has it wait until 90 %"),
    "hardening would change": (HOME, SHIPPED,
        "note", "hardening", "pod-security (a new pod that is privileged"),
    "images are collected early": (HOME, SHIPPED,
        "note", "image collection", "vLLM's 20 GiB"),
}  # fmt: skip


@pytest.mark.parametrize("row", CONDITIONS.values(), ids=CONDITIONS)
def test_a_condition_of_the_server_is_said(row: Row) -> None:
    assert_said(row, rules.of_server(*row[:2]))


@pytest.mark.parametrize("rule", rules.SERVER, ids=lambda rule: str(rule.__name__))
def test_every_rule_has_a_row_that_it_speaks_up_in(rule: rules.Rule) -> None:
    assert_speaks_up(rule, CONDITIONS.values())


def test_a_server_set_up_by_synapse_has_nothing_to_do() -> None:
    assert not [one for one in rules.of_server(CLOSED, SHIPPED | CATALOGUE) if one.remedy]


def test_a_bare_server_stops_nothing() -> None:
    assert not rules.stops(rules.of_server(BARE, SHIPPED | CATALOGUE))


def test_a_sentence_that_stops_names_what_was_seen_and_the_remedy() -> None:
    assert rules.stops(rules.of_server(at(6443, "haproxy"), {})) == [
        "port 6443: taken by haproxy. It is that of the Kubernetes API: stop the program, or give "
        "it another port."
    ]


def test_a_named_disk_that_is_too_small_stops() -> None:
    there = replace(BARE, disks=(*BARE.disks, Disk("/mnt/ssd", "ext4", 250, 240)))
    site = CATALOGUE | {"synapse_disks": {"models": "/mnt/ssd/models"}}
    (said,) = rules.stops(rules.of_server(there, site))
    assert said.startswith("room for models: /mnt/ssd: 300 of 240 GiB. ")
    assert not rules.stops(rules.of_server(replace(there, disks=(*BARE.disks, SSD)), site))
