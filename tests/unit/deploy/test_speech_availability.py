"""What is not served is named with what its download said; another try leaves a mark that stays."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_deploy import speech_availability
from synapse_deploy.speech_availability import ENGINES, Availability

SPEACHES, PIPER = ENGINES


class Api:
    """Answers as the API server does, with Speaches or Piper behind its proxy."""

    def __init__(self, listed: dict[str, Any], *pods: dict[str, Any]) -> None:
        self.listed = listed
        self.pods = pods
        self.patched: list[tuple[str, Any, Any]] = []

    def path(self, api_version: str, kind: str, namespace: str, name: str = "") -> str:
        return f"/{namespace}/{kind}/{name}"

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        if method == "PATCH":
            self.patched.append((path, body, options["query"]))
            return {}
        if "/proxy/" in path:
            return self.listed
        assert options["query"]["labelSelector"].startswith("app.kubernetes.io/name=")
        return {"items": list(self.pods)}


def pod(made: str, message: str, container: str = "models", **metadata: str) -> dict[str, Any]:
    """A pod whose init container has ended with these words."""
    ended = {"name": container, "state": {"terminated": {"exitCode": 0, "message": message}}}
    said = {"exitCode": 0, "message": "owner/gone: of another container\n"}
    other = {"name": "libraries", "state": {"terminated": said}}
    return {
        "metadata": {"creationTimestamp": made, **metadata},
        "status": {"initContainerStatuses": [ended, other]},
    }


def availability(api: Api, *wanted: str) -> Availability:
    """The wanted models of Speaches."""
    return Availability(api, "llm-infra", SPEACHES, list(wanted))  # type: ignore[arg-type]


def test_what_is_not_listed_is_missing_with_the_reason_of_the_newest_pod() -> None:
    api = Api(
        {"data": [{"id": "owner/there"}]},
        pod("2026-01-01T00:00:00Z", "owner/gone: an old reason\n"),
        pod("2026-01-02T00:00:00Z", "owner/gone: no such repository: at all\n"),
        pod("2026-01-03T00:00:00Z", "owner/gone: on its way out\n", deletionTimestamp="now"),
    )
    missing = availability(api, "owner/there", "owner/gone", "owner/silent").missing()
    assert missing.keys() == {"owner/gone", "owner/silent"}
    assert missing["owner/gone"] == "no such repository: at all"
    assert "kubectl logs deploy/speaches" in missing["owner/silent"]


def test_what_is_listed_and_yet_not_whole_is_missing() -> None:
    api = Api({"data": [{"id": "owner/torn"}]}, pod("2026-01-01T00:00:00Z", "owner/torn: why\n"))
    assert availability(api, "owner/torn").missing() == {"owner/torn": "why"}


@pytest.mark.parametrize("pods", [(), ({"metadata": {"creationTimestamp": "x"}},)])
def test_a_pod_that_says_nothing_yet_is_no_error(pods: tuple[Any, ...]) -> None:
    assert availability(Api({"data": []}, *pods), "owner/gone").missing().keys() == {"owner/gone"}


def test_pipers_voices_are_asked_for_by_pipers_names() -> None:
    listed = {"voices": [{"name": "alloy", "voice": "en_US-amy-medium"}]}
    api = Api(listed, pod("2026-01-01T00:00:00Z", "de_DE-x-low: gone\n", "voices"))
    found = Availability(api, "llm-infra", PIPER, ["en_US-amy-medium", "de_DE-x-low"])  # type: ignore[arg-type]
    assert found.missing() == {"de_DE-x-low": "gone"}


def test_another_try_is_a_new_pod_that_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(speech_availability, "wait_for_rollouts", lambda *said: waited.append(said))
    api = Api({})
    availability(api).retry(60, print)
    ((path, body, query),) = api.patched
    assert path == "/llm-infra/Deployment/speaches"
    annotations = body["spec"]["template"]["metadata"]["annotations"]
    assert annotations.keys() == {"kubectl.kubernetes.io/restartedAt"}
    assert query != {"fieldManager": "synapse"}, "the role's next apply would remove the mark"
    assert [found["metadata"]["name"] for found in waited[0][1]] == ["speaches"]
