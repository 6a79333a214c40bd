"""A model of sound that is missing because its pod still fetches it says how far that is."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from synapse_cli.cluster import Cluster
from synapse_cli.fetching import of_sound
from synapse_cli.table import Row

MISSING = Row("speaches", "whisper", "missing", False)


class FakeCluster:
    """One pod whose first container runs or has ended."""

    def __init__(self, *, fetches: bool, words: str = "") -> None:
        state = SimpleNamespace(running=object() if fetches else None)
        first = SimpleNamespace(name="models", state=state)
        self._pod = SimpleNamespace(
            metadata=SimpleNamespace(name="speaches-1"),
            status=SimpleNamespace(init_container_statuses=[first]),
        )
        self._words = words

    def pods(self, selector: str) -> list[Any]:
        assert selector == "app.kubernetes.io/name=speaches"
        return [self._pod]

    def last_words(self, pod: str, container: str, lines: int) -> str:
        assert (pod, container) == ("speaches-1", "models")
        return self._words


def row(cluster: FakeCluster, before: Row = MISSING) -> tuple[str, bool]:
    found = of_sound(before, "speaches", cast(Cluster, cluster))
    return found.state, found.healthy


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("a: asking what is to be fetched\na: 37 of 1,530 MiB, 5 s", "a: 37 of 1,530 MiB, 5 s"),
        ("a: asking what is to be fetched", ""),
    ],
)
def test_its_download_is_told_and_is_no_fault(words: str, state: str) -> None:
    told = f"downloading, {state}" if state else "its downloads begin"
    assert row(FakeCluster(fetches=True, words=words)) == (told, True)


def test_once_the_pod_has_ended_fetching_it_is_missing() -> None:
    assert row(FakeCluster(fetches=False)) == ("missing", False)


def test_what_is_there_is_left_alone() -> None:
    there = Row("speaches", "whisper", "on disk", True)
    assert row(FakeCluster(fetches=True), there) == ("on disk", True)
