"""What a site wants of K3s, and where the role `k3s` puts it on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

CONFIG = "/etc/rancher/k3s/config.yaml"
"""Of a K3s that Synapse installed: the whole of it is the role's."""
DROP_IN = "/etc/rancher/k3s/config.yaml.d/50-synapse.yaml"
"""Of a K3s that was here before: only what the site enforces."""
REGISTRIES = "/etc/rancher/k3s/registries.yaml"
AUDIT_POLICY = "/etc/rancher/k3s/audit.yaml"
UNIT = "/etc/systemd/system/k3s.service"
ENVIRONMENT = "/etc/systemd/system/k3s.service.env"
BINARY = "/usr/local/bin/k3s"
DATA_DIR = "/var/lib/rancher/k3s"
# Of the release; the checksums' own names stand in these files too.
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Wishes:
    """What the site says, and what the product pins."""

    version: str
    """Such as v1.30.0+k3s1."""
    reached_at: str = ""
    """The name or address by which the operator reaches the server; empty: it is this machine."""
    servers: int = 1
    """How many hosts the inventory has in its group."""
    enforce: tuple[str, ...] | None = None
    proxy: Mapping[str, Any] = field(default_factory=dict)
    """http, https and no_proxy, as in `synapse_proxy`."""
    disks: Mapping[str, Any] = field(default_factory=dict)
    """models, images and backups, as in `synapse_disks`."""
    registries: Mapping[str, Any] = field(default_factory=dict)
    """The content of registries.yaml: mirrors and configs."""
    labels: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of config.yaml."""
    system_pods: tuple[str, ...] = ("coredns", "local-path-provisioner", "metrics-server")
    """Which pods of K3s itself have to run, by the beginning of their names."""
    has_ingress: bool = False
    """The site is reached through the cluster's own Ingress, which Traefik answers."""

    @property
    def data_dir(self) -> str:
        """Return the folder that holds K3s' state and images.

        On a disk of the site it is one of its own: K3s calls parts of it `data` and `server`, as
        others call their folders too, and what removes K3s removes them.
        """
        disk = self.disks.get("images")
        return f"{str(disk).rstrip('/')}/k3s" if disk else DATA_DIR


def wishes(raw: Mapping[str, Any]) -> Wishes:
    """Return the wishes as the role's variables say them; null is what was left out."""
    known = {one.name for one in fields(Wishes)}
    said = {name: value for name, value in raw.items() if value is not None}
    if odd := sorted(said.keys() - known):
        raise ValueError(f"nobody knows the wishes {', '.join(odd)}")
    for name in ("enforce", "system_pods"):
        if name in said:
            said[name] = tuple(said[name])
    return Wishes(**said)
