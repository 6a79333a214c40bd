"""K3s on the server: can Synapse adopt it, and will it go on running?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from synapse_common.finding import Finding
from synapse_host.facts import HostFacts
from synapse_host.fit import unfit
from synapse_host.k3s_decide import decide
from synapse_host.k3s_wishes import Wishes, wishes
from synapse_host.rules.say import DEPLOY_CLUSTER, listed, server

PORTS = {6443: "the Kubernetes API", 10250: "the kubelet"}
OWN = ("k3s", "k3s-server", "kube-apiserver", "kubelet", "svclb")
"""Programs of K3s itself, which the role may have started."""
RENEWS_DAYS, SOON_DAYS = 90, 30
"""K3s renews certificates only when it starts, with fewer days left (120 since v1.33.1)."""
RESTART = "`sudo systemctl restart k3s`: pods go on running meanwhile"


def present(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Nothing, or a K3s that Synapse installed or can adopt: what the role `k3s` decides."""
    it = facts.k3s
    if unfit(facts):
        return
    decision = decide(facts, wishes_of(site))
    owner = "ours" if it.ours else "adopted" if decision.action == "adopt" else "not ours"
    seen = f"{it.version}, {owner}" if it.version else "not installed"
    for sentence in decision.refusals:
        yield server("k3s", seen, sentence)
    for sentence in decision.notes:
        yield server("k3s", seen, sentence, is_note=True)
    if decision.refusals or decision.notes:
        return
    if it.version and it.unit != "active":
        yield server(
            "k3s",
            f"{seen}, its unit is {it.unit}",
            f"{DEPLOY_CLUSTER} starts it; why it ended: `sudo journalctl -u k3s -n 50`.",
            goes_on=True,
        )
    else:
        remedy = "" if it.version else f"{DEPLOY_CLUSTER} installs it."
        yield server("k3s", seen, remedy, is_note=True)


def wishes_of(site: Mapping[str, Any]) -> Wishes:
    """Return what a site wishes of K3s, as its variables say it."""
    return wishes(
        {
            "version": site.get("synapse_server", {}).get("k3s", ""),
            "enforce": site.get("synapse_enforce"),
            "proxy": site.get("synapse_proxy"),
            "disks": site.get("synapse_disks"),
            "registries": site.get("k3s_registries"),
            "labels": site.get("k3s_labels"),
            "config": site.get("k3s_config"),
        }
    )


def ports(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """No other program has the ports of K3s, or that of the gateway."""
    taken = PORTS if not facts.k3s.version else {}
    gateway = site.get("synapse_gateway_port")
    if gateway and site.get("synapse_gateway_service_type", "LoadBalancer") == "LoadBalancer":
        taken = taken | {gateway: "the gateway (synapse_gateway_port)"}
    for one in facts.listeners:
        if one.protocol == "tcp" and one.port in taken and one.program not in OWN:
            yield server(
                f"port {one.port}",
                f"taken by {one.program or 'somebody'}",
                f"It is that of {taken[one.port]}: stop the program, or give it another port.",
            )


def config(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """The secrets in its configuration are root's alone."""
    it = facts.k3s
    if it.config_mode and int(it.config_mode, 8) & 0o077:
        yield server(
            "config.yaml",
            f"mode {it.config_mode}",
            "Any user of the server reads what is in it, the cluster's token too: "
            "`sudo chmod 600 /etc/rancher/k3s/config.yaml`.",
            goes_on=True,
        )
    names = [word.split("=")[0] for word in it.arguments]
    secret = [name for name in names if name.startswith("--") and name.endswith("token")]
    if secret:
        yield server(
            "k3s arguments",
            listed(secret),
            "Any user of the server sees them in the list of processes: move the token to a file "
            "of mode 0600 and name it with `token-file` in /etc/rancher/k3s/config.yaml.",
            goes_on=True,
        )


def certificates(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """A server that never restarts dies after a year: certificates are renewed at a start."""
    if not (facts.k3s.certificates_end and facts.system.now):
        return
    end = datetime.fromisoformat(facts.k3s.certificates_end)
    left = (end - datetime.fromisoformat(facts.system.now)).days
    seen = f"until {end:%Y-%m-%d}, {left} days" if left >= 0 else f"ended on {end:%Y-%m-%d}"
    remedy = f"K3s renews them only when it starts, so restart k3s: {RESTART}."
    yield server(
        "certificates",
        seen,
        remedy if left < RENEWS_DAYS else "",
        is_note=left >= SOON_DAYS,
        goes_on=True,
    )


def containerd(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """containerd's configuration is K3s' own: by hand, the nvidia runtime gets lost."""
    it = facts.k3s
    folder = f"{it.data_dir}/agent/etc/containerd"
    if it.containerd_edited:
        yield server(
            "containerd",
            "config.toml was edited by hand",
            f"K3s writes {folder}/config.toml anew at each start: put the change into "
            'config-v3.toml.tmpl there, which begins with {{ template "base" . }}.',
            is_note=True,
        )
    if it.templates and not it.template_has_base:
        yield server(
            "containerd",
            f"{listed(it.templates)} without K3s' own part",
            f"It hides what K3s finds itself, the nvidia runtime too: begin the file in {folder} "
            'with {{ template "base" . }} and keep only your additions.',
            goes_on=True,
        )
    old = [name for name in it.templates if "v3" not in name]
    if old and it.template_has_base:
        yield server(
            "containerd",
            listed(old),
            "It is of containerd 1: move what you added into config-v3.toml.tmpl in "
            f"{folder}, with the names that containerd 2 has for it.",
            is_note=True,
        )


def anonymous(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """Nothing of Kubernetes answers somebody without a key."""
    told = {word.lstrip("-") for word in facts.k3s.arguments}
    for name, value in facts.k3s.config.items():
        for one in value if isinstance(value, list) else [value]:
            told.add(f"{name}={one}".lower())
    found = [mark for mark in ANONYMOUS if mark in told]
    if found:
        yield server(
            "anonymous access",
            listed(found),
            "Anybody who reaches the server asks there without a key: take it out of "
            "/etc/rancher/k3s/config.yaml and restart K3s.",
            is_note=True,
        )


ANONYMOUS = (
    "enable-pprof=true",
    "supervisor-metrics=true",
    "kube-apiserver-arg=anonymous-auth=true",
    "kubelet-arg=anonymous-auth=true",
    "kubelet-arg=read-only-port=10255",
)

RULES = (present, ports, config, certificates, containerd, anonymous)
