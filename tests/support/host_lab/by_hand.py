"""K3s installed without Synapse, as its own installer leaves it."""

import os

from host_lab import k3s
from host_lab.server import Server
from synapse_testbed.cache import Cache
from synapse_testbed.podman import podman
from synapse_testbed.settings import from_environment

IMAGES = "/var/lib/rancher/k3s/agent/images"
# What matters of the installer's own unit: who is told of the start, and that pods outlive a stop.
UNIT = """\
[Unit]
Description=Lightweight Kubernetes
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
EnvironmentFile=-/etc/systemd/system/k3s.service.env
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStart=/usr/local/bin/k3s \\
    server \\
"""
INSTALL = """
echo '[Install]\nWantedBy=multi-user.target' >> /etc/systemd/system/k3s.service
ln -sf k3s /usr/local/bin/kubectl
systemctl daemon-reload
systemctl enable --now k3s
"""


def install_k3s(server: Server) -> None:
    """Put K3s on the server and start it, with no file of configuration."""
    with Cache(from_environment(os.environ).cache) as cache:
        release = k3s.release(cache)
        server.shell(f"mkdir -p {IMAGES}")
        podman("cp", f"{release}/{k3s.BINARY}", f"{server.name}:/usr/local/bin/k3s")
        podman("cp", f"{release}/{k3s.IMAGES}", f"{server.name}:{IMAGES}/")
    server.write("/etc/systemd/system/k3s.service", UNIT + "\n")
    server.shell(INSTALL)
