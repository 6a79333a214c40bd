"""make pin asks registries for the digests behind the tags, and writes all of them or none."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from free_ports import free_ports
from image_registry import INDEX, MANIFEST, Registry, running
from synapse_cli import pin, registry

ROOT = Path(__file__).parents[3]
OLD = "sha256:" + "0" * 64


@pytest.fixture
def images() -> Iterator[Registry]:
    with running() as started:
        yield started


def versions(folder: Path, *entries: str) -> Path:
    """A versions.yml with these entries, comments before and after each, and a tool."""
    path = folder / "versions.yml"
    lines = [f"  # about {entry.partition(':')[0]}\n  {entry}\n" for entry in entries]
    text = "".join(lines)
    path.write_text(
        f"---\n# head\nsynapse_version: 1.2.3\n\nsynapse_images:\n{text}\n"
        '# tools\nsynapse_tools:\n  # a tool\n  uv: "0.1:2"\n'
    )
    return path


def run(path: Path) -> subprocess.CompletedProcess[str]:
    """The command as `make pin` calls it."""
    command = [sys.executable, "-m", "synapse_cli.pin", str(path)]
    environment = {"NO_PROXY": "*"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_digests_are_written_behind_tags_and_nothing_else_changes(
    images: Registry, tmp_path: Path
) -> None:
    several, single = images.add("group/one:1.0", INDEX), images.add("two:v2-slim", MANIFEST)
    one, two = f"{images.address}/group/one:1.0", f"{images.address}/two:v2-slim"
    path = versions(tmp_path, f"one: {one}", f"two: {two}@{OLD}")
    before = path.read_text()
    ended = run(path)
    assert ended.returncode == 0, ended.stderr
    after = before.replace(f"{one}\n", f"{one}@{several}\n").replace(OLD, single)
    assert path.read_text() == after
    assert ended.stdout.count("pinned") == 2
    assert f"{two}@{single}" in ended.stdout


def test_a_second_time_nothing_changes(images: Registry, tmp_path: Path) -> None:
    images.add("one:1.0")
    path = versions(tmp_path, f"one: {images.address}/one:1.0")
    run(path)
    text = path.read_text()
    assert "unchanged" in run(path).stdout
    assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["versions.yml"]


def test_who_vouched_for_a_digest_goes_with_it(images: Registry, tmp_path: Path) -> None:
    images.add("one:1.0")
    kept = images.add("two:1.0")
    path = versions(
        tmp_path,
        f"one: {images.address}/one:1.0@{OLD}",
        f"two: {images.address}/two:1.0@{kept}",
    )
    path.write_text(path.read_text().replace("# about", "# Digest: somebody\n  # about"))
    run(path)
    text = path.read_text()
    assert "Digest: somebody\n  # about one" not in text
    assert "Digest: somebody\n  # about two" in text


def test_every_fault_is_a_sentence_and_nothing_is_written(images: Registry, tmp_path: Path) -> None:
    images.add("fine:1")
    for image in ("lying:1", "busy:1", "broken:1", "private:1"):
        images.add(image)
    images.lies.add("lying:1")
    images.statuses |= {"busy:1": 429, "broken:1": 500, "private:1": 403}
    (closed,) = free_ports(1)
    names = ("fine", "lying", "busy", "broken", "private", "missing")
    entries = [f"{name}: {images.address}/{name}:1" for name in names]
    path = versions(tmp_path, *entries, f"far: 127.0.0.1:{closed}/far:1", "bare: ollama:1")
    before = path.read_text()
    ended = run(path)
    assert ended.returncode == 1
    assert path.read_text() == before
    told = ended.stderr.splitlines()
    assert len(told) == 8
    for line, words in zip(
        told,
        (
            "/lying:1: what 127.0.0.1",
            "/busy:1: 127.0.0.1",
            "answered 500; try again later",
            "/private:1: 127.0.0.1",
            "/missing:1: there is no such tag; correct it in versions.yml",
            "/far:1: 127.0.0.1",
            "ollama:1: write the registry too",
            "Nothing was written.",
        ),
        strict=True,
    ):
        assert words in line
    assert "was asked too often" in told[1]
    assert "lets nobody read it without an account" in told[3]
    assert "cannot be reached" in told[5]


@pytest.mark.parametrize(
    ("challenge", "gives_tokens", "words"),
    [
        ('Basic realm="home"', True, "asks for an account"),
        ('Bearer realm="http://{address}/token",scope="{scope}"', False, "gives out no token"),
    ],
)
def test_a_registry_that_lets_nobody_in_is_told(
    images: Registry, challenge: str, gives_tokens: bool, words: str
) -> None:
    images.add("one:1")
    images.challenge, images.gives_tokens = challenge, gives_tokens
    with (
        httpx.Client(trust_env=False) as client,
        pytest.raises(registry.RegistryError, match=words),
    ):
        registry.digest_of(registry.parse(f"{images.address}/one:1"), client)


def test_docker_hub_is_asked_where_it_answers() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(404)

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as client,
        pytest.raises(registry.RegistryError, match=r"docker\.io/library/python:3: there is no"),
    ):
        registry.digest_of(registry.parse("docker.io/library/python:3"), client)
    assert asked == ["https://registry-1.docker.io/v2/library/python/manifests/3"]


def test_the_shipped_file_can_be_pinned_and_keeps_its_form() -> None:
    text = (ROOT / "group_vars/all/versions.yml").read_text()
    asked: list[str] = []

    def same(image: registry.Reference) -> str:
        asked.append(image.repository)
        return image.digest or OLD

    made, told = pin.pinned(text, same)
    assert len(told) == len(asked) == 7
    assert made.replace(f"@{OLD}", "") == text


def test_a_file_without_images_is_refused() -> None:
    with pytest.raises(pin.PinError, match="names no image"):
        pin.pinned("synapse_tools:\n  uv: 1\n", lambda _: OLD)
