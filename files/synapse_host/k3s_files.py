"""The files of K3s that the role writes, each with its content and mode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from synapse_host import hardening
from synapse_host.facts import HostFacts
from synapse_host.k3s_config import config, is_hardened, no_proxy
from synapse_host.k3s_decide import Action
from synapse_host.k3s_wishes import BINARY, CONFIG, DROP_IN, ENVIRONMENT, REGISTRIES, UNIT, Wishes

HEADER = "# Written by Synapse, from the site's files: what is changed here by hand goes.\n"
# Keys that a site may add and whose values nobody shall read, in a diff or in the server's log.
SECRET_KEYS = {
    "vpn-auth", "etcd-s3-access-key", "etcd-s3-secret-key", "etcd-s3-session-token",
}  # fmt: skip
# What `systemctl start` waits for has no limit of its own here: the role waits itself, with one.
UNIT_TEXT = """[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target
{mounts}
[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-{environment}
# Containers go on while K3s itself starts anew.
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart={binary} server
"""


@dataclass(frozen=True)
class HostFile:
    """A file or, with a mode alone, a folder; without both it is not there."""

    path: str
    content: str | None = None
    mode: str = ""
    restarts: bool = True
    """K3s reads it when it starts."""
    is_secret: bool = False
    """Its content may hold a password, and is shown nowhere."""


def files(facts: HostFacts, wishes: Wishes, action: Action) -> list[HostFile]:
    """Return what lies on the server, in the order in which it is put there."""
    return list(_files(facts, wishes, action))


def as_taken(files: list[HostFile], *, secret: bool) -> list[dict[str, Any]]:
    """Return the files as the module `k3s_install` takes them, those with secrets apart."""
    made = [asdict(one) for one in files if one.is_secret is secret]
    return [{name: one[name] for name in one if name != "is_secret"} for one in made]


def _files(facts: HostFacts, wishes: Wishes, action: Action) -> Iterator[HostFile]:
    is_ours = action == "install"
    data_dir = wishes.data_dir if is_ours else facts.k3s.data_dir
    if is_hardened(facts, wishes):
        yield HostFile(f"{data_dir}/server/logs", None, hardening.LOGS_MODE, restarts=False)
        for name, policy in (("audit", hardening.AUDIT_POLICY), ("psa", hardening.ADMISSION)):
            text = HEADER + _yaml(policy)
            yield HostFile(f"{data_dir}/server/{name}.yaml", text, hardening.POLICIES_MODE)
    keys = config(facts, wishes, action)
    if not is_ours:
        text = HEADER + "# What K3s' owner set stands in the other files.\n" + _yaml(keys)
        # What the site no longer enforces ends with K3s' next start, which nobody asked for now.
        yield HostFile(DROP_IN, text, "0600") if keys else HostFile(DROP_IN, restarts=False)
        return
    text = HEADER + "# Further keys: k3s_config in platform.yml.\n" + _yaml(keys)
    yield HostFile(CONFIG, text, "0600", is_secret=bool(keys.keys() & SECRET_KEYS))
    if wishes.registries:
        yield HostFile(REGISTRIES, HEADER + _yaml(wishes.registries), "0600", is_secret=True)
    else:
        yield HostFile(REGISTRIES)
    if proxy := environment(facts, wishes):
        yield HostFile(ENVIRONMENT, proxy, "0600", is_secret=True)
    else:
        yield HostFile(ENVIRONMENT)
    yield HostFile(UNIT, unit(wishes), "0644")


def unit(wishes: Wishes) -> str:
    """Return the unit; K3s does not start on an empty folder while its disk is not mounted."""
    disks = [str(wishes.disks[name]) for name in ("images", "models") if wishes.disks.get(name)]
    mounts = f"RequiresMountsFor={' '.join(disks)}\n" if disks else ""
    return HEADER + UNIT_TEXT.format(mounts=mounts, environment=ENVIRONMENT, binary=BINARY)


def environment(facts: HostFacts, wishes: Wishes) -> str:
    """Return the unit's environment, empty without a proxy.

    K3s hands it on to containerd, and to no pod (docs.k3s.io/advanced, on the HTTP proxy).
    """
    values = proxy_variables(facts, wishes)
    lines = "".join(f"{name}={_quoted(values[name])}\n" for name in values)
    return HEADER + lines if lines else ""


def proxy_variables(facts: HostFacts, wishes: Wishes) -> dict[str, str]:
    """Return the variables of the proxy; empty without one."""
    http, https = wishes.proxy.get("http"), wishes.proxy.get("https")
    if not http and not https:
        return {}
    found = {"HTTP_PROXY": http, "HTTPS_PROXY": https, "NO_PROXY": no_proxy(facts, wishes)}
    return {name: str(value) for name, value in found.items() if value}


def _quoted(text: str) -> str:
    """Return a value of an EnvironmentFile, as systemd.exec(5) reads it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _yaml(value: Any) -> str:
    # Ansible's values are of classes of its own, which YAML's writer does not know and JSON's does.
    return yaml.safe_dump(json.loads(json.dumps(value)), sort_keys=False, width=200)
