"""Builds take the network as this host has it, and refuse hosts they cannot work on."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from synapse_testbed import debian, go, host, oci, programs
from synapse_testbed.commands import TestbedError, run


def test_package_sources_are_the_hosts_own() -> None:
    told = [
        "Debian http://mirror.example/debian/",
        "Debian http://mirror.example/debian/",
        "Debian-Security http://mirror.example/security/",
        "Somebody http://elsewhere.example/",
    ]
    assert debian.package_sources(told) == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/security/ trixie-security main",
    ]


def test_package_sources_need_apt_lists() -> None:
    with pytest.raises(TestbedError, match="apt-get update"):
        debian.package_sources([])


@pytest.mark.parametrize(
    ("release", "machine"),
    [("VERSION_CODENAME=bullseye", "x86_64"), ('VERSION_CODENAME="trixie"', "aarch64"), ("", "")],
)
def test_other_systems_are_refused_by_name(release: str, machine: str) -> None:
    with pytest.raises(TestbedError, match=r"needs Debian 12 .* or 13 \(trixie\) on x86_64"):
        host.check_system(release, machine)


@pytest.mark.parametrize("release", ["VERSION_CODENAME=bookworm", 'VERSION_CODENAME="trixie"'])
def test_debian_12_and_13_may_be_the_host(release: str) -> None:
    host.check_system(release, "x86_64")


def test_left_out_packages_go_with_their_hashes_and_markers() -> None:
    listed = """\
# A comment.
granian==2.5.0
hf-xet==1.8.0 ; platform_machine == 'x86_64' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
httpx==0.28.1 ; python_full_version < '3.15' \\
    --hash=sha256:cc
hf-xet-tools==1.0
"""
    kept = """\
# A comment.
httpx==0.28.1 ; python_full_version < '3.15' \\
    --hash=sha256:cc
hf-xet-tools==1.0
"""
    assert programs.without(listed, ("granian", "hf-xet")) == kept


def test_ollama_is_compiled_for_the_processor_and_a_build_for_another_is_another() -> None:
    flags = "fpu sse4_2 fma avx avx2 bmi1 bmi2 f16c"
    fast = programs.for_processor(f"model name\t: A\nflags\t\t: {flags}\n")
    slow = programs.for_processor(f"flags\t\t: {flags.replace('bmi2', 'erms')}\n")
    assert fast == "-O3 -mavx2 -mfma -mf16c -mbmi2"
    assert slow == programs.for_processor("") == "-O3"


@pytest.mark.parametrize("told", ["", "flags : avx2 fma f16c bmi2\n"])
def test_the_compilers_flags_are_in_the_key(
    told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cpuinfo").write_text(told)
    monkeypatch.setattr(programs, "CPU_INFO", tmp_path / "cpuinfo")
    assert programs.ollama().inputs["compiling"] == programs.for_processor(told)


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.19.8 x", (1, 19)),
        ("", (0, 0)),
    ],
)
def test_go_version_is_read(told: str, version: tuple[int, int]) -> None:
    assert go.version_of(told) == version


def test_failing_program_is_told_with_its_last_words() -> None:
    with pytest.raises(TestbedError, match=r"sh -c .* ended with 3:\n  no space left"):
        run(["sh", "-c", "echo no space left >&2; exit 3"], limit_s=10)


def test_missing_program_is_named() -> None:
    with pytest.raises(TestbedError, match="program no-such-program is not installed"):
        run(["no-such-program"], limit_s=10)


def test_layer_is_the_same_whoever_builds_it(tmp_path: Path) -> None:
    tree = tmp_path / "etc"
    tree.mkdir()
    (tree / "file").write_text("text")
    (tree / "link").symlink_to("file")
    for name in ("one", "two"):
        (tree / "file").touch()
        oci.write_layer(tmp_path / name, [(tree, "etc")])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_image_archive_leads_from_index_to_layer(tmp_path: Path) -> None:
    layer = tmp_path / "layer.tar"
    layer.write_bytes(b"layer")
    image = oci.Image("localhost/synapse/thing:dev", (layer,), {"Cmd": ["serve"]})
    archive = io.BytesIO()
    image.write(archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        files = {member.name: _read(tar, member) for member in tar}
    [entry] = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == image.reference
    manifest = json.loads(files[_place(entry)])
    assert files[_place(manifest["layers"][0])] == b"layer"
    assert json.loads(files[_place(manifest["config"])])["config"] == {"Cmd": ["serve"]}


def _place(descriptor: dict[str, str]) -> str:
    return "blobs/" + descriptor["digest"].replace(":", "/")


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(member)
    assert content
    return content.read()
