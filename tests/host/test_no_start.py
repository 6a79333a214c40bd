"""K3s that does not start: its last lines are quoted, and a run without the cause ends well."""

import pytest

from host_lab.artefacts import Releases
from host_lab.playing import Site
from host_lab.server import Server

pytestmark = pytest.mark.long


def test_why_k3s_ends_is_quoted_and_mended(bare: Server, releases: Releases) -> None:
    site, url = Site(bare.name), releases.url()
    told = site.play(
        "cluster.yml", k3s_download_url=url, k3s_config={"kubelet-arg": ["nonsense=1"]}
    )
    assert told.rc != 0
    assert "unknown flag: --nonsense" in told.text
    assert site.play("cluster.yml", k3s_download_url=url).rc == 0

    # The kubelet of a hardened K3s insists on settings of the kernel, which somebody changes.
    bare.shell("sysctl -qw vm.overcommit_memory=0; systemctl restart k3s || true")
    assert "overcommit_memory" in bare.shell("journalctl -u k3s --no-pager | grep 'expected value'")
    told = site.play("cluster.yml", k3s_download_url=url)
    assert told.rc == 0, told.text
    assert bare.shell("systemctl is-active k3s").strip() == "active"
