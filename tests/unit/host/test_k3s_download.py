"""A release of K3s that was changed, cut or is not there ends in a sentence, and in no file."""

import errno
import hashlib
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from k3s_server.machine import Machine
from k3s_server.release import IMAGES, SUMS, VERSION, Release, tree
from role_modules import module

DOWNLOAD = module("k3s", "k3s_download")
Usage = namedtuple("Usage", "total used free")


def fetch(machine: Machine, **changes: Any) -> None:
    """Fetch the release into the machine's own folder."""
    args = {
        "version": VERSION,
        "architecture": "amd64",
        "data_dir": "/var/lib/rancher/k3s",
        "url": machine.release.url,
        "checksums_sha256": "",
        "stall_s": 5,
    }
    made = DOWNLOAD.Release({**args, **changes}, machine.root)
    for step in made.steps():
        step()


def refused(machine: Machine, **changes: Any) -> str:
    """Why it is not fetched; nothing is in place, and a run without the fault deploys."""
    with pytest.raises(DOWNLOAD.K3sError) as fault:
        fetch(machine, **changes)
    staging = "var/cache/synapse/"
    assert [name for name in tree(machine.root) if not name.startswith(staging)] == []
    return str(fault.value)


@pytest.mark.parametrize("name", ["k3s", IMAGES])
def test_a_file_that_was_changed_is_deleted_and_named(name: str, machine: Machine) -> None:
    good = machine.release.files[name]
    machine.release.files[name] = good[:-1] + b"X"
    told = refused(machine)
    assert f"/v1.36.3%2Bk3s1/{name} has the checksum " in told
    assert f"{SUMS} says {hashlib.sha256(good).hexdigest()}" in told
    left = {Path(path).name for path in tree(machine.root)}
    assert left.isdisjoint({name, f"{name}.part"})
    machine.release.files[name] = good
    machine.deploy()
    assert machine.is_active


def test_checksums_of_another_release_are_not_kept(machine: Machine) -> None:
    good = machine.release.files[SUMS]
    machine.release.files[SUMS] = good.replace(good[-80:-74], b"abcdef")
    assert "says" in refused(machine)
    machine.release.files[SUMS] = good
    machine.deploy()
    assert machine.is_active


@pytest.mark.parametrize("text", [b"<html>not here</html>", b"", b"deadbeef  k3s\n"])
def test_a_page_that_is_no_file_of_checksums_is_named(text: bytes, machine: Machine) -> None:
    machine.release.files[SUMS] = text
    told = refused(machine)
    assert f"does not name {IMAGES} and k3s" in told or "does not name k3s and" in told


def test_checksums_that_the_site_pins_are_compared(machine: Machine) -> None:
    pinned = hashlib.sha256(machine.release.files[SUMS]).hexdigest()
    fetch(machine, checksums_sha256=pinned.upper())
    other = "0" * 64
    assert f"k3s_checksums_sha256 is {other}" in refused(machine, checksums_sha256=other)


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_download_that_was_cut_goes_on_in_the_next_run(
    knows_ranges: bool, machine: Machine
) -> None:
    machine.release.knows_ranges = knows_ranges
    machine.release.cut_after = {IMAGES: 1000}
    told = refused(machine)
    assert "the connection was cut after" in told
    assert "what was fetched is kept" in told
    machine.release.cut_after = {}
    machine.deploy()
    assert machine.is_active


def test_a_cut_is_mended_in_the_same_run_where_the_server_goes_on(machine: Machine) -> None:
    size = len(machine.release.files[IMAGES])
    machine.release.cut_after = {IMAGES: size // 2 + 1}
    fetch(machine)
    assert machine.release.asked.count(IMAGES) == 2


@pytest.mark.parametrize("code", [404, 503])
def test_a_release_that_is_not_there_is_named_by_its_address(code: int, machine: Machine) -> None:
    machine.release.codes = {SUMS: code}
    told = refused(machine)
    assert told.startswith(f"{machine.release.url}/v1.36.3%2Bk3s1/{SUMS} cannot be read")
    assert f"it answers {code}" in told
    assert "synapse_proxy" in told


def test_no_network_is_a_sentence(machine: Machine) -> None:
    told = refused(machine, url="http://127.0.0.1:1/download")
    assert "Connection refused" in told
    assert told.endswith("run again: what was fetched is kept.")


@pytest.mark.parametrize("url", ["ftp://mirror/k3s", "/srv/k3s", ""])
def test_an_address_that_is_none_is_refused(url: str, machine: Machine) -> None:
    assert refused(machine, url=url).startswith(f"k3s_download_url is {url}, and no address of")


def test_too_small_a_disk_is_seen_before_a_byte_is_written(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9 << 30, 9 << 30, 1 << 20))
    assert "and 1 MiB are free" in refused(machine)
    assert all(not name.endswith(".part") for name in tree(machine.root))


def test_a_disk_that_fills_up_meanwhile_is_a_sentence(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(url: str, part: Path, stall_s: int) -> None:
        part.write_bytes(b"begun")
        raise OSError(errno.ENOSPC, "No space left on device", str(part))

    monkeypatch.setattr("ansible.module_utils.synapse_k3s.transfer.receive", full)
    assert "The disk of /var/cache/synapse/k3s is full" in refused(machine)
    assert tree(machine.root) == {}


def test_another_architecture_has_names_of_its_own(machine: Machine) -> None:
    files = machine.release.files
    files.clear()
    files.update({"k3s-arm64": b"arm", "k3s-airgap-images-arm64.tar.zst": b"images of arm"})
    files["sha256sum-arm64.txt"] = Release.sums(machine.release)
    fetch(machine, architecture="arm64")
    assert set(machine.release.asked) == set(files)


def test_an_address_with_a_password_is_refused_and_not_shown(machine: Machine) -> None:
    told = refused(machine, url="https://me:hunter2@mirror.lan/k3s")
    assert "hunter2" not in told
    assert "k3s_download_url holds a password" in told
