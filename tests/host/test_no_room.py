"""A full disk, a network that is away: a sentence, nothing half installed, the next run ends."""

import pytest

from host_lab.artefacts import Releases
from host_lab.playing import Site
from host_lab.server import Server

pytestmark = pytest.mark.long
STARTED_FROM = "/usr/local/bin/k3s /etc/systemd/system/k3s.service /etc/rancher/k3s/config.yaml"
SMALL = "mkdir -p {place} && mount -t tmpfs -o size=4m tmpfs {place}"
STAGING, IMAGES = "/var/cache/synapse", "/var/lib/rancher/k3s/agent/images"
# An address for examples, which is nobody's, and a domain without servers.
NOBODYS, UNKNOWN = "198.51.100.1", "https://releases.invalid"


def test_server_without_room_or_network_gets_nothing_and_later_all(
    bare: Server, releases: Releases
) -> None:
    site = Site(bare.name)

    def refused(url: str) -> str:
        told = site.play("cluster.yml", k3s_download_url=url)
        assert told.rc != 0
        assert bare.shell(f"ls -d {STARTED_FROM} 2>/dev/null || true") == ""
        return told.text

    route = bare.shell("ip route show default").strip()
    bare.shell("ip route del default")
    assert "no default route" in refused(releases.url())
    bare.shell(f"ip route add {route}; ip route add unreachable {NOBODYS}")
    assert "No route to host" in refused(f"http://{NOBODYS}")
    assert "name server" in refused(UNKNOWN)

    for place in (STAGING, IMAGES):
        bare.shell(SMALL.format(place=place))
        text = refused(releases.url())
        assert "make room" in text.lower(), text
        assert place in text
        bare.shell(f"umount {place}")

    told = site.play("cluster.yml", k3s_download_url=releases.url())
    assert told.rc == 0, told.text
    assert bare.shell("systemctl is-active k3s").strip() == "active"
