"""What an upgrade would change, from two renderings of the same site."""

from typing import Any

from synapse_cli.changes import compare
from synapse_cli.version import LABEL


def thing(kind: str, name: str, version: str = "0.1.0", **more: Any) -> dict[str, Any]:
    labels = {"synapse/owner": "x", LABEL: version}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}, **more}


def workload(name: str, image: str, replicas: int = 1) -> dict[str, Any]:
    return thing("Deployment", name, spec={"replicas": replicas, "template": {"image": image}})


def test_a_version_that_only_has_another_number_changes_nothing() -> None:
    found = compare([thing("Service", "a")], [thing("Service", "a", version="0.2.0")])
    assert found.summary() == [
        "no object changes but for the label that says the version", "restarts: nothing"
    ]  # fmt: skip
    assert found.diff == ""


def test_every_object_is_told_by_what_happens_to_it() -> None:
    before = [
        workload("ollama", "ollama:1"), workload("arbiter", "a:1"), thing("Service", "gone"),
        thing("ConfigMap", "code-0123456789", data={"x": "1"}),
    ]  # fmt: skip
    after = [
        workload("ollama", "ollama:2"), workload("arbiter", "a:1", replicas=2),
        thing("Service", "new"), thing("ConfigMap", "code-9876543210", data={"x": "2"}),
    ]  # fmt: skip
    found = compare(before, after)
    assert found.summary() == [
        "added: Service new",
        "removed: Service gone",
        "changed: ConfigMap code, Deployment arbiter, Deployment ollama",
        "restarts: Deployment ollama",
    ]
    assert "-    image: ollama:1\n+    image: ollama:2\n" in found.diff
    assert found.diff.count("--- ") == 5
