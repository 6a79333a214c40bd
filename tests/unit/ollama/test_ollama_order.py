"""What comes first: the model that answers soonest, then what needs no download, then by size."""

from typing import Any

from synapse_ollama.order import ordered, starter_of
from synapse_ollama.plan import Remove, State, Tag, plan


def entry(name: str, disk_gib: float | None, **given: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"kind": "chat", "context": None, "engine_args": {}}
    return {"name": name, "source": f"library/{name}", "disk_gib": disk_gib, **empty, **given}


def order(*entries: dict[str, Any], state: State = State(), prune: bool = False) -> list[str]:  # noqa: B008  frozen
    return [action.name for action in ordered(plan(entries, state, prune=prune), entries)]


def test_the_smallest_model_that_chats_is_first_and_the_rest_follow_by_size() -> None:
    embedding = entry("embedding", 0.7, kind="embedding")
    names = order(entry("large", 24), entry("unknown", None), entry("small", 3.5), embedding)
    assert names == ["small", "embedding", "large", "unknown"]


def test_what_needs_no_download_does_not_wait_for_downloads() -> None:
    own = entry("own", 40, source="file:own.gguf")
    there = entry("there", 30)
    state = State(tags={"library/there:latest": Tag("x", 1)})
    names = order(entry("large", 24), own, there, entry("small", 3.5), state=state)
    assert names == ["small", "there", "own", "large"]


def test_what_nobody_names_any_more_goes_first_and_makes_room() -> None:
    state = State(tags={"old:1": Tag("x", 1)})
    entries = [entry("large", 24)]
    actions = ordered(plan(entries, state, prune=True), entries)
    assert actions[0] == Remove("old:1", 1)


def test_among_equals_the_first_of_the_catalogue_is_the_starter() -> None:
    assert starter_of([entry("b", 1), entry("a", 1)]) == "b"


def test_what_does_not_chat_is_no_starter() -> None:
    assert starter_of([entry("embedding", 0.1, kind="embedding")]) is None
