"""Reading, rotating, exporting and restoring keys, against Secrets held in memory."""

import base64
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from rich.console import Console

from synapse_cli import __main__ as commands
from synapse_cli import keys
from synapse_cli.cluster import Cluster, ClusterError


class Secrets:
    """The Secret calls of the Kubernetes API, kept in a dictionary."""

    def __init__(self, kept: dict[str, dict[str, str]]) -> None:
        """Start with these Secrets, of which nobody wrote down when they were made."""
        self.kept = kept
        self.told: dict[str, dict[str, str]] = {name: {} for name in kept}

    def read_namespaced_secret(self, name: str, namespace: str, **_: Any) -> SimpleNamespace:
        """As the real one: encoded, or 404."""
        if name not in self.kept:
            raise ApiException(status=404, reason="Not Found")
        encoded = {
            key: base64.b64encode(value.encode()).decode() for key, value in self.kept[name].items()
        }
        told = self.told[name] or None
        return SimpleNamespace(data=encoded, metadata=SimpleNamespace(annotations=told))

    def patch_namespaced_secret(self, name: str, namespace: str, body: Any, **_: Any) -> object:
        """Merge."""
        self.read_namespaced_secret(name, namespace)
        self.kept[name] |= body["stringData"]
        told = self.told[name] | body["metadata"]["annotations"]
        self.told[name] = {key: value for key, value in told.items() if value is not None}
        return object()

    def create_namespaced_secret(self, namespace: str, body: Any, **_: Any) -> object:
        """Make."""
        self.kept[body.metadata.name] = dict(body.string_data)
        self.told[body.metadata.name] = dict(body.metadata.annotations)
        return object()


def cluster_with(kept: dict[str, dict[str, str]]) -> Cluster:
    """A cluster without a network."""
    cluster = Cluster.__new__(Cluster)
    cluster.namespace = "llm-infra"
    cluster.core = Secrets(kept)
    return cluster


def two_apps() -> dict[str, dict[str, str]]:
    """What the first deployment made."""
    return {
        "gateway-master-key": {"synapse-master": "sk-m"},
        "gateway-app-keys": {"jarvis": "sk-j", "agents": "sk-a"},
    }


def test_key_of_an_application_is_read() -> None:
    assert keys.read_app_key(cluster_with(two_apps()), "jarvis") == "sk-j"


def test_unknown_application_is_told_which_there_are() -> None:
    with pytest.raises(ClusterError, match=r"no application jarvi .*agents, jarvis"):
        keys.read_app_key(cluster_with(two_apps()), "jarvi")


def test_cluster_without_keys_says_what_to_run() -> None:
    with pytest.raises(ClusterError, match="make deploy-gateway"):
        keys.read_app_key(cluster_with({}), "jarvis")


def test_rotation_replaces_one_key_and_leaves_the_others() -> None:
    kept = two_apps()
    keys.rotate_app_key(cluster_with(kept), "jarvis")
    assert kept["gateway-app-keys"]["agents"] == "sk-a"
    assert kept["gateway-app-keys"]["jarvis"].startswith("sk-synapse-jarvis-")
    assert len(kept["gateway-app-keys"]["jarvis"]) == len("sk-synapse-jarvis-") + 48


def test_when_a_key_was_made_is_known_from_its_first_rotation_on() -> None:
    cluster = cluster_with(two_apps())
    assert keys.read_made(cluster) == {"jarvis": None, "agents": None}
    keys.rotate_app_key(cluster, "jarvis")
    made = keys.read_made(cluster)
    assert made["agents"] is None
    assert (made["jarvis"] or "").startswith(f"{datetime.now(UTC):%Y-}")


def test_a_restored_key_is_of_unknown_age_and_the_same_key_keeps_its_own(tmp_path: Path) -> None:
    cluster = cluster_with(two_apps())
    keys.rotate_app_key(cluster, "jarvis")
    keys.rotate_app_key(cluster, "agents")
    file = tmp_path / "keys.yml"
    keys.export_keys(cluster, file)
    keys.rotate_app_key(cluster, "agents")
    before = keys.read_made(cluster)
    keys.restore_keys(cluster, file)
    assert keys.read_made(cluster) == {**before, "agents": None}


def test_what_hashes_are_made_with_travels_along_and_is_no_key(tmp_path: Path) -> None:
    there = two_apps()
    there["gateway-master-key"]["people-secret"] = "0123"
    file = tmp_path / "keys.yml"
    assert keys.export_keys(cluster_with(there), file) == 3
    new = two_apps()
    assert keys.restore_keys(cluster_with(new), file) == 3
    assert new["gateway-master-key"]["people-secret"] == "0123"


def test_rotation_of_an_unknown_application_changes_nothing() -> None:
    kept = two_apps()
    with pytest.raises(ClusterError):
        keys.rotate_app_key(cluster_with(kept), "nobody")
    assert kept == two_apps()


def test_export_is_for_its_owner_alone_and_restores_a_new_server(tmp_path: Path) -> None:
    file = tmp_path / "keys.yml"
    assert keys.export_keys(cluster_with(two_apps()), file) == 3
    assert file.stat().st_mode & 0o777 == 0o600
    empty: dict[str, dict[str, str]] = {}
    assert keys.restore_keys(cluster_with(empty), file) == 3
    assert empty == two_apps()


def test_export_never_replaces_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.yml"
    file.write_text("mine")
    with pytest.raises(keys.KeyFileError, match="is there already"):
        keys.export_keys(cluster_with(two_apps()), file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "hello",
        "[1]",
        "{gateway-app-keys: {a: b}}",
        "{gateway-app-keys: 1, gateway-master-key: 2}",
    ],
)
def test_file_that_is_no_export_changes_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.yml"
    file.write_text(content)
    kept = two_apps()
    with pytest.raises(keys.KeyFileError, match="no export"):
        keys.restore_keys(cluster_with(kept), file)
    assert kept == two_apps()


@pytest.mark.parametrize(
    ("app", "deployed", "restarted"),
    [
        ("home-assistant", ["gateway", "wyoming"], "wyoming"),
        ("home-assistant", ["gateway"], None),
        ("open-webui", ["gateway", "open-webui"], "open-webui"),
        ("open-webui-tasks", ["gateway", "open-webui"], "open-webui"),
        ("open-webui", ["gateway", "wyoming"], None),
        ("agents", ["gateway", "open-webui", "wyoming"], None),
    ],
)
def test_who_replaces_a_key_that_is_read_at_a_start_is_told_to_restart(
    app: str, deployed: list[str], restarted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated: list[str] = []
    there = cluster_with({})
    workloads = [SimpleNamespace(metadata=SimpleNamespace(name=name)) for name in deployed]
    there.workloads = lambda: workloads  # type: ignore[method-assign]
    monkeypatch.setattr(keys, "rotate_app_key", lambda _, app: rotated.append(app))
    monkeypatch.setattr(commands, "Cluster", lambda _: there)
    console = Console(record=True, width=200)
    told = Namespace(app=app, namespace="llm-infra")
    assert commands.run_rotate(told, console) == 0
    assert rotated == [app]
    command = f"kubectl -n llm-infra rollout restart deployment/{restarted}"
    said = console.export_text()
    assert (command in said) is ("rollout restart" in said) is (restarted is not None)


def test_the_chat_pages_password_is_read() -> None:
    kept = two_apps() | {"open-webui": {"signing-key": "s", "password": "p"}}
    assert keys.read_chat_password(cluster_with(kept)) == "p"
    with pytest.raises(ClusterError, match="chat_enabled: true"):
        keys.read_chat_password(cluster_with(two_apps()))
