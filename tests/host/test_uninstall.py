"""K3s goes as it came, and only when its server is named."""

import pytest

from host_lab.artefacts import Releases
from host_lab.playing import Site
from host_lab.server import Server

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
OF_K3S = "/usr/local/bin/k3s /etc/rancher/k3s /etc/systemd/system/k3s.service /var/lib/rancher/k3s"


def test_k3s_is_removed_when_it_is_confirmed(bare: Server, releases: Releases) -> None:
    site = Site(bare.name)
    assert site.play("cluster.yml", k3s_download_url=releases.url()).rc == 0
    refused = site.play("uninstall.yml", k3s_confirmed="another")
    assert refused.rc != 0
    assert bare.shell("systemctl is-active k3s").strip() == "active"

    told = site.play("uninstall.yml", k3s_confirmed=bare.name, k3s_purge="true")
    assert told.rc == 0, told.text
    assert bare.shell(f"ls -d {OF_K3S} 2>/dev/null || true") == ""
    assert bare.shell("pgrep containerd-shim || true") == ""
    # Who comes back finds another server.
    assert bare.shell("cat /etc/synapse/server.json").strip() == "{}"
    assert site.play("cluster.yml", k3s_download_url=releases.url()).rc == 0
