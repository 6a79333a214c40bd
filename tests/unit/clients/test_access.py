"""What an application has, by kind, from the lists that it is configured with."""

from typing import Any

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


CLOUD = {"name": "cloud", "kind": "chat", "leaves": True}


@pytest.mark.parametrize("may_leave", [True, False])
def test_a_name_that_leads_outside_is_named_only_where_it_may(may_leave: bool) -> None:
    models, aliases = [CLOUD, *MODELS], [{"name": "chat", "model": "cloud"}]
    for asked in (["*"], ["chat", "cloud", "small"]):
        app: dict[str, Any] = {"name": "all", "models": asked, "may_leave": may_leave}
        tasks = {"name": "plain", "models": asked, "tasks_of": "all"}
        found = access("all", models, aliases, [app, tasks], URL, KEYS)
        assert ({"chat", "cloud"} <= set(names(found.named))) is may_leave
        assert ({"chat", "cloud"} <= set(names(found.listed))) is may_leave
        assert (found.chat.name == "chat") is may_leave
        assert found.tasks
        assert not {"chat", "cloud"} & set(found.tasks.names)


def test_a_list_names_no_model_behind_an_alias_that_fixes_something() -> None:
    app = {"name": "all", "models": ["chat", "code"], "lists": ["chat", "gemma", "qwen"]}
    fixed = [{**one, "fixed": {"thinking": False}} for one in ALIASES if one["name"] == "chat"]
    found = access("all", MODELS, [*fixed, *ALIASES[1:]], [app], URL, KEYS)
    assert names(found.listed) == ["chat", "qwen"]


def test_a_list_of_all_has_what_it_may_use() -> None:
    app = {"name": "all", "models": ["chat", "embed"], "lists": ["*"]}
    found = access("all", MODELS, ALIASES, [app], URL, KEYS)
    assert names(found.listed) == ["chat", "embed", "gemma", "vectors"]


def test_what_is_missing_is_said_in_a_sentence() -> None:
    with pytest.raises(AccessError, match='There is no application "none"; there are: all, '):
        of("none")
    with pytest.raises(AccessError, match="speaker may use no chat model"):
        _ = of("speaker").chat
