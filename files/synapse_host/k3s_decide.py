"""What the role `k3s` does on a server: install, adopt, or refuse in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from synapse_host.facts import HostFacts
from synapse_host.k3s_wishes import ARCHITECTURES, BINARY, CONFIG, Wishes

Action = Literal["install", "adopt"]
# The release's binary and images, twice while they are moved into place, and what K3s unpacks.
ROOM_GIB = 4.0
# As the module `host_facts` names who else keeps containers.
DISTRIBUTIONS = {
    "microk8s": "MicroK8s",
    "rke2": "RKE2",
    "k0s": "k0s",
    "kubelet": "a kubelet that is not K3s' (kubeadm brings one)",
}
# Keys of config.yaml that make of one server a cluster, or something else that comes later.
LATER = {
    "server": "agents and further servers are a later version of Synapse",
    "cluster-init": "embedded etcd is for several servers, which are a later version of Synapse",
    "datastore-endpoint": "an external datastore is a later version of Synapse",
    "token": "agents are a later version of Synapse, and a secret does not belong into it",
    "agent-token": "agents are a later version of Synapse, and a secret does not belong into it",
    "system-default-registry": "an air-gapped server is a later version of Synapse",
    "disable-default-registry-endpoint": "an air-gapped server is a later version of Synapse",
    "data-dir": "write synapse_disks: {images: ...} instead",
    "default-local-storage-path": "write synapse_disks: {models: ...} instead",
    "secrets-encryption": "it is on from the first start, and cannot be switched by the file",
}


@dataclass(frozen=True)
class Decision:
    """What is done, why it is not, and what a person should know."""

    action: Action
    refusals: tuple[str, ...] = ()
    """A sentence each; with one of them nothing is done."""
    notes: tuple[str, ...] = ()


def decide(facts: HostFacts, wishes: Wishes) -> Decision:
    """Return what the role does on this server."""
    k3s = facts.k3s
    # Our record is written before anything is put in place: what broke off is ours too.
    is_ours = bool(k3s.ours)
    is_there = bool(k3s.version) or k3s.unit != "absent"
    action: Action = "adopt" if is_there and not is_ours else "install"
    refusals = [*_server(facts, wishes), *_keys(wishes)]
    if action == "adopt":
        refusals += _cannot_adopt(facts)
    else:
        refusals += _cannot_install(facts, wishes)
    return Decision(action, tuple(refusals), tuple(_notes(facts, wishes, action)))


def _server(facts: HostFacts, wishes: Wishes) -> Iterator[str]:
    if wishes.servers > 1:
        yield (
            f"The group `server` of the inventory has {wishes.servers} hosts: agents and further "
            "servers are a later version of Synapse. Leave one."
        )
    if facts.k3s.is_agent:
        yield (
            "This server is an agent of another K3s cluster; Synapse sets up one server alone. "
            "Name the cluster's server in hosts.yml, or remove the agent (k3s-agent-uninstall.sh) "
            "and run again."
        )
    for name in facts.containers:
        if name in DISTRIBUTIONS:
            yield (
                f"{DISTRIBUTIONS[name]} runs on this server, and two Kubernetes on one server take "
                "each other's ports. Leave `server` out of hosts.yml to deploy into that one, or "
                "remove it and run again."
            )
    for fault in facts.k3s.config_faults:
        yield f"{fault} Mend it and run again."


def _keys(wishes: Wishes) -> Iterator[str]:
    for key in wishes.config:
        if key.rstrip("+") in LATER:
            yield f"k3s_config: {key}: {LATER[key.rstrip('+')]}. Take it out."


def _cannot_adopt(facts: HostFacts) -> Iterator[str]:
    k3s = facts.k3s
    if k3s.unit == "absent" and k3s.version:
        yield (
            f"{k3s.binary} is K3s {k3s.version}, which Synapse did not install, and no unit "
            "k3s.service runs it. Remove the program, or install its unit, and run again."
        )
    elif k3s.unit != "active":
        yield (
            f"K3s {k3s.version or '(no program)'} is on this server, Synapse did not install it, "
            f"and its unit is {k3s.unit}. Start it (systemctl start k3s; journalctl -u k3s says "
            "why it stops) and run again, or remove it (k3s-uninstall.sh)."
        )


def _cannot_install(facts: HostFacts, wishes: Wishes) -> Iterator[str]:
    k3s = facts.k3s
    if not facts.system.has_systemd:
        yield "This server does not run systemd, which has to start K3s."
    if facts.system.architecture not in ARCHITECTURES:
        yield (
            "K3s is released for x86_64 and aarch64; this server is "
            f"{facts.system.architecture or 'unknown'}."
        )
    if not facts.system.has_default_route:
        yield (
            "This server has no default route, without which K3s finds no address of its own. Add "
            "one (ip route add default via ...) and run again."
        )
    if k3s.has_run and not k3s.ours:
        yield (
            f"{k3s.data_dir} holds the state of a K3s that is gone; a new one would start its old "
            "workloads. Move it away, or delete it, and run again."
        )
    if k3s.config_mode and not k3s.ours:
        yield (
            f"{CONFIG} is there before K3s is, and Synapse writes this file. Move its keys to "
            "k3s_config in the site's platform.yml, delete it, and run again."
        )
    if k3s.has_run and k3s.ours and k3s.data_dir != wishes.data_dir:
        yield (
            f"K3s keeps its data in {k3s.data_dir}, and the site wants {wishes.data_dir} "
            "(synapse_disks.images): moving it is a later version of Synapse, and starting there "
            "would start an empty cluster. Write the old folder into platform.yml."
        )
    yield from _room(facts, wishes)


def _room(facts: HostFacts, wishes: Wishes) -> Iterator[str]:
    if facts.k3s.version:
        return
    for path in sorted({wishes.data_dir, BINARY}):
        disk = facts.disk_of(path)
        needed = ROOM_GIB if path == wishes.data_dir else ROOM_GIB / 8
        if disk is not None and disk.free_gib < needed:
            yield (
                f"{disk.mount} has {disk.free_gib:.1f} GiB left, and K3s needs {needed:g} GiB for "
                f"{path}. Make room there, or name another disk in synapse_disks, and run again."
            )


def _notes(facts: HostFacts, wishes: Wishes, action: Action) -> Iterator[str]:
    k3s = facts.k3s
    if k3s.version and k3s.version != wishes.version:
        yield (
            f"K3s is {k3s.version}, and this Synapse brings {wishes.version}: upgrades are a later "
            "version of it. K3s stays as it is."
        )
    if action != "adopt":
        return
    if not k3s.config.get("secrets-encryption") and not any(
        one.startswith("--secrets-encryption") for one in k3s.arguments
    ):
        yield (
            "Secrets lie in this cluster's datastore in clear text. K3s encrypts them from its "
            "first start, or, since v1.35.0+k3s3, after `k3s secrets-encrypt enable`; Synapse "
            "does not switch it."
        )
    left = [
        name
        for name, said in (
            ("synapse_proxy", wishes.proxy),
            (
                "synapse_disks",
                {key for key, value in wishes.disks.items() if value and key != "backups"},
            ),
            ("k3s_registries", wishes.registries),
            ("k3s_labels", wishes.labels),
            ("k3s_config", wishes.config),
        )
        if said
    ]
    if left:
        yield (
            f"K3s was here before Synapse, so {', '.join(left)} is not written into its "
            "configuration: set it there yourself."
        )
