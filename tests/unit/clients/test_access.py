"""What an application has, by kind, from the lists that it is configured with."""

import pytest

from client_sites import ALIASES, APPS, KEYS, MODELS, URL, of
from synapse_common.engines import Kind
from synapse_deploy.clients.access import AccessError, access


def names(found: object) -> list[str]:
    return [one.name for one in found]  # type: ignore[attr-defined]


def test_what_is_shown_and_what_may_be_used_are_two_things() -> None:
    found = of("open-webui")
    assert names(found.chats) == ["chat", "code"]
    assert names(found.named) == ["chat", "code", "fast", "embed", "ranks", "whisper-1", "tts-1"]
    assert (found.task_name, found.listed_are_chats) == ("fast", True)


def test_all_shows_every_name_and_prefers_the_stable_ones() -> None:
    found = of("all")
    assert names(found.chats) == ["chat", "code", "fast", "gemma", "qwen", "small"]
    assert found.chat.name == "chat"
    assert found.coding.name == "code"
    kinds: tuple[Kind, ...] = ("embedding", "rerank", "transcription", "speech")
    firsts = [found.first(kind) for kind in kinds]
    assert names(firsts) == ["embed", "ranks", "whisper-1", "tts-1"]


def test_the_first_name_counts_where_none_is_usual() -> None:
    found = of("plain")
    assert (found.chat.name, found.coding.name, found.task_name) == ("qwen", "qwen", None)
    assert found.first("embedding") is None


def test_the_tasks_application_is_found_with_its_key() -> None:
    tasks = of("open-webui").tasks
    assert tasks is not None
    assert (tasks.app, tasks.key, tasks.names) == (
        "open-webui-tasks",
        KEYS["open-webui-tasks"],
        ("fast",),
    )
    assert of("open-webui-tasks").tasks is None


def test_a_voice_is_one_that_there_is() -> None:
    assert of("all").voice == "alloy"
    models = [{**one, "voices": ["thorsten"]} if one["name"] == "piper" else one for one in MODELS]
    assert access("all", models, ALIASES, APPS, URL, KEYS).voice == "thorsten"


def test_what_is_missing_is_said_in_a_sentence() -> None:
    with pytest.raises(AccessError, match='There is no application "none"; there are: all, '):
        of("none")
    with pytest.raises(AccessError, match="speaker may use no chat model"):
        _ = of("speaker").chat
