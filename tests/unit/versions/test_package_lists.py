"""Lists of packages are compiled: pinned, hashed, without addresses, as their .in files ask."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
SOURCES = sorted(
    ROOT / path
    for path in subprocess.run(
        ["git", "ls-files", "*requirements*.in"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
)
LISTS = [source.with_suffix(".txt") for source in SOURCES]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# What the project asks for itself: the list for deploying, and the one for developing.
OF_THE_PROJECT = {
    ROOT / "requirements.txt": EXTRAS["operate"],
    ROOT / "requirements-dev.txt": [line for extra in EXTRAS.values() for line in extra],
}
LISTS += OF_THE_PROJECT
# Packages that are only taken apart.
DOWNLOADS = [ROOT / "molecule/testbed/downloads.txt", ROOT / ".ci/collections-bundle.txt"]
# What these share is imported by our own code in each of them.
CONSTRAINTS = ROOT / "constraints.txt"
# Another project's process runs from these, and nothing of ours in it.
OTHERS = (ROOT / "tests/real_vllm", ROOT / "tests/real_open_webui")
PYTHONS = ("3.11", "3.12", "3.13")
ADDRESS = re.compile(r"https?:|^\s*-(i|-index-url|-extra-index-url|-find-links)\b", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


def entries(path: Path) -> list[str]:
    """The lines of a list, those that go on joined, without comments."""
    text = path.read_text().replace("\\\n", "")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pins(path: Path) -> list[Requirement]:
    return [Requirement(entry.partition(" --hash=")[0].strip()) for entry in entries(path)]


def wanted(path: Path) -> list[Requirement]:
    """What a .in file asks for by itself."""
    return [Requirement(line) for line in entries(path) if not line.startswith("-")]


@pytest.mark.parametrize("path", [*LISTS, *DOWNLOADS], ids=where)
def test_every_package_is_pinned_with_hashes_and_without_an_address(path: Path) -> None:
    assert entries(path)
    assert not ADDRESS.search(path.read_text())
    for entry in entries(path):
        assert re.match(r"[a-z0-9][a-z0-9.-]*==[^ ,*]+( ;.+?)? +--hash=", entry), entry
        assert HASH.sub("", entry).count("--") == 0, entry


def asked_for(path: Path) -> list[Requirement]:
    if path in OF_THE_PROJECT:
        return [Requirement(line) for line in OF_THE_PROJECT[path]]
    return wanted(path.with_suffix(".in"))


@pytest.mark.parametrize("path", LISTS, ids=where)
def test_a_list_is_what_its_source_asks_for(path: Path) -> None:
    pinned = pins(path)
    for asked in asked_for(path):
        found = [pin for pin in pinned if canonicalize_name(asked.name) == pin.name]
        assert found, f"{asked.name}: run `make lock`"
        for pin in found:
            version = next(iter(pin.specifier)).version
            here = asked.marker is None or str(asked.marker) == str(pin.marker).replace(
                "python_full_version", "python_version"
            )
            assert not here or asked.specifier.contains(version), f"{pin}: run `make lock`"


@pytest.mark.parametrize("path", LISTS, ids=where)
@pytest.mark.parametrize("python", PYTHONS)
def test_no_package_has_two_versions_on_one_python(path: Path, python: str) -> None:
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
    }
    names = [pin.name for pin in pins(path) if not pin.marker or pin.marker.evaluate(machine)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("shared", wanted(CONSTRAINTS), ids=str)
def test_a_shared_package_has_one_version_everywhere(shared: Requirement) -> None:
    for path in [path for path in LISTS if path.parent not in OTHERS]:
        found = {str(pin) for pin in pins(path) if pin.name == shared.name}
        assert found == {str(shared)}, f"{where(path)}: run `make lock`"


def test_ansible_is_the_newest_that_each_python_can_have() -> None:
    found = {
        python: [
            str(pin.specifier)
            for pin in pins(ROOT / "requirements.txt")
            if pin.name == "ansible-core"
            and (not pin.marker or pin.marker.evaluate({"python_full_version": f"{python}.9"}))
        ]
        for python in PYTHONS
    }
    assert found["3.11"][0].startswith("==2.19.")
    assert found["3.12"] == found["3.13"] != found["3.11"]


def test_every_list_is_compiled_by_make_lock() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for source in SOURCES:
        folder = where(source.parent)
        place = "" if folder == "." else f"cd {folder} && "
        assert f"@{place}$(LOCK)" in makefile, where(source)
        assert f"{source.name} -o {source.stem}.txt" in makefile, where(source)
    for path in OF_THE_PROJECT:
        assert f"-o {path.name}" in makefile, where(path)


def test_what_deploying_needs_has_one_version_in_both_lists() -> None:
    deploying, developing = (
        {(pin.name, str(pin.specifier)) for pin in pins(path)} for path in OF_THE_PROJECT
    )
    assert deploying < developing


def test_the_bundle_is_the_ansible_of_the_lists() -> None:
    """A collection of another year's bundle would not fit the ansible-core that runs it."""
    (bundle,) = pins(DOWNLOADS[1])
    cores = [str(pin) for pin in pins(ROOT / "requirements.txt") if pin.name == "ansible-core"]
    # Ansible 12 has ansible-core 2.19; both count on by one.
    minor = int(str(bundle.specifier).removeprefix("==").split(".")[0]) + 7
    assert any(core.startswith(f"ansible-core==2.{minor}.") for core in cores)


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/*/*/js/package-lock.json")), ids=where)
def test_a_list_of_npm_packages_holds_hashes_and_no_address(path: Path) -> None:
    packages = json.loads(path.read_text())["packages"]
    assert len(packages) > 1
    assert "resolved" not in path.read_text()
    assert "omit-lockfile-registry-resolved=true" in (path.parent / ".npmrc").read_text()
    assert all("integrity" in package for name, package in packages.items() if name)
