"""Every client's settings are of the format that it reads, whole, and ask for what there is."""

from __future__ import annotations

import ast
import json
import tomllib
from typing import Any

import pytest
import yaml

from client_sites import KEYS, URL, of
from synapse_deploy.clients.access import AccessError
from synapse_deploy.clients.every import EVERY
from synapse_deploy.clients.packages import environment

CHATTING = ("open-webui", "open-webui-tasks", "plain", "all", "silent")


def env_file(text: str) -> dict[str, str]:
    """Read an env file as Docker does: comments and empty lines aside, values as they are."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


READERS = {
    "env": env_file,
    "json": json.loads,
    "python": ast.parse,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}


def settings(client: str, app: str) -> Any:
    """The settings of one client, as it reads them."""
    return READERS[EVERY[client].format](EVERY[client].settings(of(app)))  # type: ignore[operator]


@pytest.mark.parametrize("app", CHATTING)
@pytest.mark.parametrize("client", EVERY)
def test_every_client_gets_the_format_that_it_reads_with_address_and_key(
    client: str, app: str
) -> None:
    assert settings(client, app)
    text = EVERY[client].settings(of(app))
    assert URL in text
    assert KEYS[app] in text


@pytest.mark.parametrize("client", [name for name in EVERY if name not in ("jarvis-cortex", "n8n")])
def test_a_client_that_chats_says_what_its_application_lacks(client: str) -> None:
    with pytest.raises(AccessError, match="speaker may use no chat model"):
        EVERY[client].settings(of("speaker"))


def test_the_packages_find_their_own_variables() -> None:
    key = KEYS["plain"]
    assert environment(of("plain")) == {
        "OPENAI_BASE_URL": f"{URL}/v1",
        "OPENAI_API_KEY": key,
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_API_KEY": key,
        "OLLAMA_HOST": URL,
        "OLLAMA_API_KEY": key,
    }


def test_plain_openai_is_told_a_name_for_each_kind() -> None:
    text = EVERY["jarvis-cortex"].settings(of("open-webui"))
    for line in ("chat: chat", "embedding: embed", "rerank: ranks", "transcription: whisper-1"):
        assert f"# model for {line}\n" in text
    assert "# model for short tasks: fast\n# voice: alloy\n" in text
    assert set(settings("jarvis-cortex", "speaker")) == {"OPENAI_BASE_URL", "OPENAI_API_KEY"}


def test_claude_code_has_no_model_of_its_maker_left() -> None:
    told = settings("claude-code", "open-webui")["env"]
    models = {name: value for name, value in told.items() if name.endswith("_MODEL")}
    assert models == {
        "ANTHROPIC_MODEL": "code",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "code",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "code",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "fast",
    }
    assert settings("claude-code", "plain")["env"]["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "qwen"


def test_codex_knows_how_much_its_model_reads() -> None:
    told = settings("codex", "all")
    assert (told["model"], told["model_context_window"]) == ("code", 32768)
    assert told["model_providers"][told["model_provider"]]["wire_api"] == "responses"


def test_continue_knows_what_each_model_can_do() -> None:
    models = settings("continue", "open-webui")["models"]
    assert [(one["model"], one["roles"][0]) for one in models] == [
        ("code", "chat"),
        ("chat", "chat"),
        ("embed", "embed"),
    ]
    assert [one.get("capabilities") for one in models] == [
        ["tool_use"],
        ["tool_use", "image_input"],
        None,
    ]
    assert models[1]["defaultCompletionOptions"] == {"contextLength": 65536}


def test_cline_is_told_whether_its_model_sees() -> None:
    assert settings("cline", "open-webui")["Supports Images"] is False
    assert settings("cline", "open-webui")["Context Window Size"] == 32768


def test_home_assistant_controls_the_house_where_the_model_calls_tools() -> None:
    told = settings("home-assistant", "open-webui")
    assert told["Ollama"]["URL"] == URL
    agent = {"Model": "chat", "Control Home Assistant": ["Assist"], "Context window size": 65536}
    assert told["Ollama"]["Conversation agent"] == agent
    assert "speech_wyoming: true" in EVERY["home-assistant"].settings(of("plain"))


def test_n8n_imports_a_credential() -> None:
    (credential,) = settings("n8n", "plain")
    assert credential["type"] == "openAiApi"
    assert credential["data"] == {"apiKey": KEYS["plain"], "url": f"{URL}/v1"}


def test_nobody_is_told_to_embed_without_an_embedding_model() -> None:
    assert "OpenAIEmbeddings" not in EVERY["langchain"].settings(of("plain"))
    assert "Embedding" not in EVERY["llamaindex"].settings(of("plain"))
    assert "check_embedding_ctx_length=False" in EVERY["langchain"].settings(of("all"))
