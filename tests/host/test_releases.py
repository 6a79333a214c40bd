"""Bad releases: nothing of them is put in place, and a later run with a good one ends well."""

import pytest

from host_lab.artefacts import Fault, Releases
from host_lab.k3s import BINARY, CHECKSUMS, IMAGES
from host_lab.playing import Site
from host_lab.server import Server

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
# In the order in which the files are fetched: what was verified once is not fetched again.
FAULTS = {
    "the release is not there": (CHECKSUMS, Fault(status=404), "404"),
    "the checksums are of something else": (
        CHECKSUMS,
        Fault(text=f"{'0' * 64}  {BINARY}\n{'0' * 64}  {IMAGES}\n"),
        "checksum",
    ),
    "the images are tampered with": (IMAGES, Fault(change_byte=5_000), "checksum"),
    "the download breaks off": (BINARY, Fault(cut_after=1_000_000), "connection was cut"),
    "the download falls silent": (BINARY, Fault(pause_s=6), "timed out"),
    "the binary is tampered with": (BINARY, Fault(change_byte=5_000_000), "checksum"),
}
PLACES = ("/usr/local/bin/k3s", "/var/lib/rancher/k3s/agent/images", "/etc/rancher/k3s")


def test_nothing_of_a_bad_release_is_put_in_place(bare: Server, releases: Releases) -> None:
    site = Site(bare.name)
    for what, (name, fault, word) in FAULTS.items():
        releases.faults = {name: fault}
        told = site.play("cluster.yml", k3s_download_url=releases.url(), k3s_stall_s=3)
        assert told.rc != 0, what
        assert word in told.text, f"{what}: {told.text}"
        there = bare.shell(f"ls -d {' '.join(PLACES)} 2>/dev/null || true").split()
        assert "/usr/local/bin/k3s" not in there, what
        assert not any("Start" in task for task in told.changed), what

    releases.faults = {}
    told = site.play("cluster.yml", k3s_download_url=releases.url())
    assert told.rc == 0, told.text
    assert bare.shell("systemctl is-active k3s").strip() == "active"
