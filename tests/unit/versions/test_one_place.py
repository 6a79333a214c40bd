"""versions.yml is the one place for versions, and a bot finds every entry of it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_testbed import go

ROOT = Path(__file__).parents[3]
VERSIONS = ROOT / "group_vars/all/versions.yml"
TEXT = VERSIONS.read_text()
WRITTEN = yaml.safe_load(TEXT)
SERVER = WRITTEN["synapse_server"]
IMAGES = WRITTEN["synapse_images"] | {"device plugin": SERVER["nvidia_device_plugin"]}
RELEASES = {
    "k3s-io/k3s": SERVER["k3s"],
    "NVIDIA/nvidia-container-toolkit": SERVER["nvidia_container_toolkit"],
}
TOOLS = WRITTEN["synapse_tools"] | RELEASES
REFERENCE = re.compile(r"([a-z0-9.-]+\.[a-z]+/[a-z0-9/._-]+):([\w.-]+?)(?:@(sha256:[0-9a-f]{64}))?")
ANY_REFERENCE = re.compile(r"(?:(?<![\w/])[a-z0-9.-]+\.io|localhost)/[\w./-]+:[\w.-]+")
# Built by the testbed itself, or an address of the documentation: no version that anyone pulls.
OURS = ("localhost/synapse/",)
# What the bot reads by itself, or what is compiled from it.
STANDARD = (".in", ".txt", ".mod", ".sum")
TYPED_IN = ("roles", "group_vars", "molecule", "files", "playbooks", "templates", "Makefile")


def configuration() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "renovate.json").read_text())
    return loaded


def found_by_the_bot() -> list[dict[str, str | None]]:
    """What the configuration's own expressions find in versions.yml; Python writes names with P."""
    found = []
    for manager in configuration()["customManagers"]:
        (files,) = manager["managerFilePatterns"]
        assert re.search(files.strip("/"), "group_vars/all/versions.yml")
        for expression in manager["matchStrings"]:
            pattern = expression.replace("(?<", "(?P<")
            found += [match.groupdict() for match in re.finditer(pattern, TEXT)]
    return found


def tracked(*places: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *places],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path.suffix not in STANDARD]


@pytest.mark.parametrize("name", IMAGES)
def test_the_bot_finds_every_image_with_its_tag_and_digest(name: str) -> None:
    parts = REFERENCE.fullmatch(IMAGES[name])
    assert parts, IMAGES[name]
    image, tag, digest = parts.groups()
    found = [entry for entry in found_by_the_bot() if entry["depName"] == image]
    assert [(entry["datasource"], entry["currentValue"]) for entry in found] == [("docker", tag)]
    assert found[0]["currentDigest"] == digest


@pytest.mark.parametrize("name", TOOLS)
def test_the_bot_finds_every_tool_with_its_version(name: str) -> None:
    found = [entry for entry in found_by_the_bot() if entry["depName"] == name]
    assert [entry["currentValue"] for entry in found] == [TOOLS[name]]
    assert found[0]["datasource"] in ("pypi", "golang-version", "github-releases")


def test_the_bot_finds_nothing_else() -> None:
    assert len(found_by_the_bot()) == len(IMAGES) + len(TOOLS)
    assert set(WRITTEN) == {
        "synapse_version", "synapse_images", "synapse_server", "synapse_tools", "synapse_image_gib",
    }  # fmt: skip
    assert re.fullmatch(r"\d+\.\d+\.\d+", WRITTEN["synapse_version"])


def test_the_bot_reads_every_other_list() -> None:
    patterns = configuration()["pip_requirements"]["managerFilePatterns"]
    lists = [
        *(str(path.relative_to(ROOT)) for path in ROOT.glob("*/*/*requirements*.in")),
        "constraints.txt",
        ".ci/collections-bundle.txt",
    ]
    assert len(lists) == 9
    for name in lists:
        assert any(re.search(pattern.strip("/"), name) for pattern in patterns), name
    assert set(configuration()["enabledManagers"]) == {
        "ansible-galaxy",
        "custom.regex",
        "gomod",
        "npm",
        "pep621",
        "pip_requirements",
        "pre-commit",
    }


def test_no_image_is_named_anywhere_else() -> None:
    for path in tracked(*TYPED_IN):
        if path.resolve() == VERSIONS:
            continue
        for reference in ANY_REFERENCE.findall(path.read_text()):
            assert reference.startswith(OURS), f"{path}: {reference}"


@pytest.mark.parametrize("name", [*IMAGES, *TOOLS])
def test_no_version_is_typed_anywhere_else(name: str) -> None:
    if name in TOOLS:
        version = TOOLS[name]
    else:
        parts = REFERENCE.fullmatch(IMAGES[name])
        assert parts
        version = parts[2].partition("-")[0]
    typed = re.compile(rf"(?<![\w.])v?{re.escape(version.removeprefix('v'))}(?![\w.]*\d)")
    for path in tracked(*TYPED_IN):
        if path.resolve() != VERSIONS:
            assert not typed.search(path.read_text()), f"{path}: {version}"


def test_the_testbed_and_make_read_the_tools() -> None:
    assert go.needed() == TOOLS["go"]
    command = ["make", "--dry-run", "--always-make", ".venv/.operate"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"uv=={TOOLS['uv']}" in told
