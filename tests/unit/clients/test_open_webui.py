"""Open WebUI's environment: everything is asked here, and tasks wake no GPU model."""

import json

import pytest

from client_sites import KEYS, URL, of
from synapse_deploy.clients.access import AccessError
from synapse_deploy.clients.open_webui import environment


def test_chats_and_tasks_have_a_connection_each() -> None:
    told = environment(of("open-webui"))
    assert told["OPENAI_API_BASE_URLS"] == f"{URL}/v1;{URL}/v1"
    assert told["OPENAI_API_KEYS"] == f"{KEYS['open-webui']};{KEYS['open-webui-tasks']}"
    configs = json.loads(told["OPENAI_API_CONFIGS"])
    assert configs["0"] == {"enable": True, "provider": "llama.cpp"}
    assert configs["1"] == {"enable": True, "prefix_id": "task", "model_ids": ["fast"]}
    assert told["TASK_MODEL_EXTERNAL"] == "task.fast"


def test_a_list_with_more_than_chats_is_cut_by_the_client() -> None:
    (config,) = json.loads(environment(of("silent"))["OPENAI_API_CONFIGS"]).values()
    assert config["model_ids"] == ["small"]


def test_without_a_tasks_application_tasks_ask_for_the_small_model() -> None:
    assert environment(of("all"))["TASK_MODEL_EXTERNAL"] == "fast"
    assert "TASK_MODEL_EXTERNAL" not in environment(of("plain"))


def test_no_kind_of_work_goes_to_anybody_else() -> None:
    for app in ("open-webui", "all", "plain", "silent"):
        told = environment(of(app))
        addresses = {value for value in told.values() if "://" in value}
        assert all(part.startswith(URL) for one in addresses for part in one.split(";"))
    full, bare = environment(of("open-webui")), environment(of("plain"))
    assert (full["RAG_EMBEDDING_ENGINE"], full["RAG_EMBEDDING_MODEL"]) == ("openai", "embed")
    assert full["RAG_EXTERNAL_RERANKER_URL"] == f"{URL}/v1/rerank"
    assert (full["AUDIO_STT_ENGINE"], full["AUDIO_STT_MODEL"]) == ("openai", "whisper-1")
    assert (full["AUDIO_TTS_MODEL"], full["AUDIO_TTS_VOICE"]) == ("tts-1", "alloy")
    assert bare["BYPASS_EMBEDDING_AND_RETRIEVAL"] == "true"
    assert bare["USER_PERMISSIONS_CHAT_STT"] == "false"


def test_its_tools_are_off_and_pictures_go_where_one_model_sees() -> None:
    for app, sees in (("open-webui", True), ("plain", False)):
        metadata = json.loads(environment(of(app))["DEFAULT_MODEL_METADATA"])
        assert metadata == {"capabilities": {"builtin_tools": False, "vision": sees}}


def test_keys_may_be_references_that_the_place_replaces() -> None:
    told = environment(of("open-webui", **{"open-webui": "$(KEY)", "open-webui-tasks": "$(TASKS)"}))
    assert told["OPENAI_API_KEYS"] == "$(KEY);$(TASKS)"
    assert not [value for value in told.values() if "sk-synapse" in value]


def test_without_a_chat_model_there_is_nothing_to_set() -> None:
    with pytest.raises(AccessError, match="needs: add one"):
        environment(of("speaker"))
