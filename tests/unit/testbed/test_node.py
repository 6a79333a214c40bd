"""The server is started, kept or made anew as its state asks, and nobody else's is touched."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from synapse_testbed import commands, node, podman
from synapse_testbed.commands import TestbedError
from synapse_testbed.settings import Settings

IMAGE = "localhost/synapse/node:one"


@dataclass
class FakePodman:
    """Containers and volumes by name, with their label, as far as the testbed asks about them."""

    containers: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    startable: bool = True
    done: list[str] = field(default_factory=list)

    def run(self, argv: Sequence[str], **_: Any) -> str:
        """Carry out one podman command line."""
        words = [word for word in argv if word not in ("sudo", *podman.PODMAN)]
        shelf = self.volumes if words[0] == "volume" else self.containers
        match words:
            case ["container" | "volume", "exists", name]:
                if name not in shelf:
                    raise TestbedError("no such thing")
            case ["container" | "volume", "inspect", name, "--format", what]:
                return str(name in self.running).lower() if "State" in what else shelf[name]
            case ["volume", "create", "--label", label, name]:
                self.volumes[name] = label.partition("=")[2]
            case ["start", name]:
                if not self.startable:
                    raise TestbedError("cannot start")
                self._change("start", name)
            case ["run", *flags]:
                values = dict(flag.partition("=")[::2] for flag in flags if "=" in flag)
                self.containers[values["--name"]] = values["--label"].partition("=")[2]
                self._change("run", values["--name"])
            case ["rm", *_, name] | ["volume", "rm", *_, name]:
                del shelf[name]
                self.done.append(f"rm {name}")
                self.running.discard(name)
        return ""

    def _change(self, verb: str, name: str) -> None:
        self.done.append(f"{verb} {name}")
        self.running.add(name)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePodman:
    """A podman that holds nothing yet, in place of the real one."""
    fake = FakePodman()
    monkeypatch.setattr(commands, "run", fake.run)
    monkeypatch.setattr(podman, "run", fake.run)
    return fake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A testbed on two ports that are free."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        ports = one.getsockname()[1], two.getsockname()[1]
    return Settings("forge", *ports, tmp_path / "cache", tmp_path / "kubeconfig")


def start(settings: Settings, image: str = IMAGE) -> None:
    node.start(settings, podman.Container(settings.name, settings.volume), image)


def test_server_is_made_once(fake: FakePodman, settings: Settings) -> None:
    start(settings)
    start(settings)
    assert fake.done == ["run forge"]
    assert fake.volumes.keys() == {"forge-data"}


def test_stopped_server_is_started_again(fake: FakePodman, settings: Settings) -> None:
    start(settings)
    fake.running.clear()
    start(settings)
    assert fake.done == ["run forge", "start forge"]


def test_server_that_cannot_be_started_is_made_anew(fake: FakePodman, settings: Settings) -> None:
    start(settings)
    fake.running.clear()
    fake.startable = False
    start(settings)
    assert fake.done == ["run forge", "rm forge", "rm forge-data", "run forge"]


def test_server_of_another_image_is_made_anew(fake: FakePodman, settings: Settings) -> None:
    start(settings)
    start(settings, "localhost/synapse/node:two")
    assert fake.done == ["run forge", "rm forge", "rm forge-data", "run forge"]


def test_destroy_removes_what_create_made_and_nothing_else(
    fake: FakePodman, settings: Settings
) -> None:
    fake.containers["neighbour"] = ""
    fake.volumes["neighbour-data"] = ""
    start(settings)
    settings.kubeconfig.write_text("config")
    node.destroy(settings)
    node.destroy(settings)
    assert fake.containers.keys() == {"neighbour"}
    assert fake.volumes.keys() == {"neighbour-data"}
    assert not settings.kubeconfig.exists()


@pytest.mark.parametrize(
    ("kind", "name"),
    [("containers", "forge"), ("volumes", "forge-data")],
    ids=["container", "volume"],
)
def test_things_of_others_are_refused_and_left_alone(
    fake: FakePodman, settings: Settings, kind: str, name: str
) -> None:
    getattr(fake, kind)[name] = "<no value>"
    for command in (node.check_free, node.destroy, start):
        with pytest.raises(TestbedError, match=f"named {name} exists and belongs to no testbed"):
            command(settings)
    assert fake.done == []
