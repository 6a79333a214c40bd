"""K3s' configuration, from the facts of the server and the wishes of the site.

Names of options: docs.k3s.io/cli/server; of the kubelet's: kubernetes.io, kubelet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_host import hardening
from synapse_host.enforce import enforced
from synapse_host.facts import HostFacts
from synapse_host.k3s_decide import Action
from synapse_host.k3s_wishes import Wishes
from synapse_host.lived_in import was_lived_in

# As K3s takes them where nobody says otherwise.
PODS, SERVICES, DOMAIN = "10.42.0.0/16", "10.43.0.0/16", "cluster.local"
# The kubelet keeps the last three files of a container's log.
LOGS = ("container-log-max-size=10Mi", "container-log-max-files=3")
MAX_PODS = 110


def config(facts: HostFacts, wishes: Wishes, action: Action) -> dict[str, Any]:
    """Return the keys of the file that the role owns; empty: it owns none on this server."""
    if action == "adopt":
        return _appended(_enforced(facts, wishes, facts.k3s.data_dir))
    made: dict[str, Any] = {
        "write-kubeconfig-mode": "0600",
        # Counts at the first start alone, which is ours.
        "secrets-encryption": True,
        **_folders(wishes),
    }
    if wishes.reached_at:
        made["tls-san"] = [wishes.reached_at]
    if not wishes.has_ingress:
        made["disable"] = ["traefik"]
    if wishes.labels:
        made["node-label"] = [f"{name}={value}" for name, value in sorted(wishes.labels.items())]
    made["kubelet-arg"] = [*reservations(facts), *LOGS, f"max-pods={MAX_PODS}"]
    made = _merged(made, _enforced(facts, wishes, wishes.data_dir))
    return _merged(made, wishes.config)


def reservations(facts: HostFacts) -> list[str]:
    """Return what the kubelet keeps back from pods, for K3s itself and for the system.

    K3s takes 1.6 GiB with its system pods (docs.k3s.io/reference/resource-profiling): a large
    server keeps back a small part of what it has, and a small one has to run too.
    """
    # Whole: the kernel's own share differs a little from start to start.
    memory = round(facts.system.memory_gib) * 1024
    for_k3s = int(min(1024, max(256, memory / 16)))
    for_system = int(min(2048, max(256, memory / 16)))
    until = int(min(512, max(100, memory / 64)))
    milli = int(min(500, max(100, facts.system.cores * 25)))
    evicted = (
        f"memory.available<{until}Mi",
        # What is left out of this list is not watched at all.
        "nodefs.available<5%",
        "nodefs.inodesFree<5%",
        "imagefs.available<5%",
    )
    return [
        f"kube-reserved=cpu={milli}m,memory={for_k3s}Mi,ephemeral-storage=1Gi",
        f"system-reserved=cpu={milli}m,memory={for_system}Mi,ephemeral-storage=1Gi",
        f"eviction-hard={','.join(evicted)}",
    ]


def image_collection() -> list[str]:
    """Return when the kubelet deletes images that no container uses.

    The image of an engine whose pod is gone for a while is not in use, and is 20 GiB. So this
    begins late, ends 2 % further down (on a terabyte that is one such image), and leaves alone for
    a day what was just pulled. Kubelet's own: 85, 80 and two minutes. Where 5 % are left the
    eviction above begins, which deletes all that is not in use.
    """
    return [
        "image-gc-high-threshold=90",
        "image-gc-low-threshold=88",
        "minimum-image-ttl-duration=24h",
    ]


def no_proxy(facts: HostFacts, wishes: Wishes) -> str:
    """Return whom K3s reaches without the proxy: the cluster, the node, whom the site names."""
    config = wishes.config
    own = [
        "localhost",
        # Not every program reads networks here.
        "127.0.0.1",
        "127.0.0.0/8",
        str(config.get("cluster-cidr", PODS)),
        str(config.get("service-cidr", SERVICES)),
        ".svc",
        f".{config.get('cluster-domain', DOMAIN)}",
        facts.system.address,
        facts.system.hostname,
    ]
    said = [str(one) for one in wishes.proxy.get("no_proxy") or ()]
    return ",".join(dict.fromkeys(one for one in [*own, *said] if one))


def _folders(wishes: Wishes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if wishes.disks.get("images"):
        found["data-dir"] = wishes.data_dir
    if wishes.disks.get("models"):
        found["default-local-storage-path"] = wishes.disks["models"]
    return found


def is_hardened(facts: HostFacts, wishes: Wishes) -> bool:
    """Return whether the site, or an empty server, lets Synapse harden K3s."""
    return enforced("hardening", wishes.enforce, was_lived_in(facts))


def _enforced(facts: HostFacts, wishes: Wishes, data_dir: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if is_hardened(facts, wishes):
        made = hardening.config(data_dir)
    if enforced("image_collection", wishes.enforce, was_lived_in(facts)):
        made = _merged(made, {"kubelet-arg": image_collection()})
    return made


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return both; lists of the second follow those of the first, any other value replaces."""
    made = dict(one)
    for key, value in other.items():
        plain = key.rstrip("+")
        before = made.get(plain)
        both = isinstance(before, list) and isinstance(value, list)
        made[plain] = [*before, *value] if both and before is not None else value
    return made


def _appended(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys so that their lists follow those of the owner's files, and replace none."""
    return {f"{key}+" if isinstance(value, list) else key: value for key, value in made.items()}
