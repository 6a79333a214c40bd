"""The place of K3s' releases serves files whole, in part, and wrongly where a test says so."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_lab.artefacts import Fault, Releases, serving

CONTENT = bytes(range(256)) * 16
VERSION = "v1.36.3+k3s1"


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[Releases]:
    (tmp_path / "k3s").write_bytes(CONTENT)
    with serving({VERSION: tmp_path}) as served:
        yield served


def fetch(releases: Releases, name: str = "k3s", **headers: str) -> bytes:
    address = f"http://127.0.0.1:{releases.port}/{VERSION.replace('+', '%2B')}/{name}"
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        content: bytes = answer.read()
    return content


def test_file_is_served_whole_and_from_where_it_broke_off(releases: Releases) -> None:
    assert fetch(releases) == CONTENT
    assert fetch(releases, Range="bytes=4000-") == CONTENT[4000:]
    assert releases.asked == [f"{VERSION}/k3s"] * 2


def test_changed_byte_is_the_only_difference(releases: Releases) -> None:
    releases.faults["k3s"] = Fault(change_byte=100)
    pairs = zip(fetch(releases), CONTENT, strict=True)
    assert [at for at, (served, kept) in enumerate(pairs) if served != kept] == [100]
    assert fetch(releases, Range="bytes=101-") == CONTENT[101:]


def test_cut_download_breaks_the_connection(releases: Releases) -> None:
    releases.faults["k3s"] = Fault(cut_after=10)
    with pytest.raises(http.client.IncompleteRead) as broken:
        fetch(releases)
    assert broken.value.partial == CONTENT[:10]


def test_other_status_and_other_text(releases: Releases) -> None:
    releases.faults["k3s"] = Fault(status=503)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        fetch(releases)
    releases.faults["k3s"] = Fault(text="another")
    assert fetch(releases) == b"another"


def test_unknown_version_and_file_are_not_found(releases: Releases) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(releases, "k3s-arm64")
