"""Who else keeps containers or machines on a server."""

from __future__ import annotations

from .server import Server

KEEPERS = {
    "docker": "/var/lib/docker/containers/*",
    "incus": "/var/lib/incus/containers/*",
    "k0s": "/var/lib/k0s/*",
    "kubeadm": "/etc/kubernetes/*.conf",
    "libvirt": "/etc/libvirt/qemu/*.xml",
    "lxd": "/var/snap/lxd/common/lxd/containers/*",
    "microk8s": "/var/snap/microk8s/current/*",
    "rke2": "/var/lib/rancher/rke2/*",
}


def keepers_of(server: Server, has_k3s: bool) -> list[str]:
    """Return who else keeps containers or machines here; the kubelet's are K3s' where it is."""
    found = [name for name, pattern in KEEPERS.items() if server.glob(pattern)]
    if server.glob("/var/lib/kubelet/pods/*") and not has_k3s:
        found.append("kubelet")
    podman = server.text("/var/lib/containers/storage/overlay-containers/containers.json")
    if podman not in ("", "[]"):
        found.append("podman")
    return sorted(found)
