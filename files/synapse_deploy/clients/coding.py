"""Programs that write code: Claude Code, Cline, Codex and Continue."""

from __future__ import annotations

from typing import Any

from synapse_deploy.clients.access import Access, Name
from synapse_deploy.clients.formats import as_json, as_yaml, quoted


def claude_code(access: Access) -> str:
    """Return ~/.claude/settings.json: all of its models are ours, the small one too."""
    model = access.coding.name
    told = {
        "ANTHROPIC_BASE_URL": access.url,
        "ANTHROPIC_AUTH_TOKEN": access.key,
        "ANTHROPIC_MODEL": model,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": model,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": access.task_name or model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    return as_json({"env": told})


def codex(access: Access) -> str:
    """Return ~/.codex/config.toml, with the key in it."""
    model = access.coding
    window = f"model_context_window = {model.context}\n" if model.context else ""
    return f"""\
model = {quoted(model.name)}
model_provider = "synapse"
{window}
[model_providers.synapse]
name = "Synapse"
base_url = {quoted(access.openai_url)}
wire_api = "responses"
experimental_bearer_token = {quoted(access.key)}
"""


def continue_dev(access: Access) -> str:
    """Return ~/.continue/config.yaml: every chat name, and what finds code in a project."""
    ordered = dict.fromkeys([access.coding, *access.chats])
    models = [_continued(one, access, ["chat", "edit", "apply"]) for one in ordered]
    if embedding := access.first("embedding"):
        models.append(_continued(embedding, access, ["embed"]))
    return as_yaml({"name": "Synapse", "version": "1.0.0", "schema": "v1", "models": models})


def _continued(name: Name, access: Access, roles: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": f"Synapse {name.name}",
        "provider": "openai",
        "model": name.name,
        "apiBase": access.openai_url,
        "apiKey": access.key,
        "roles": roles,
    }
    if "chat" in roles:
        able = {"tool_use": name.may("tools"), "image_input": name.may("vision")}
        told["capabilities"] = [word for word, may in able.items() if may]
        if name.context:
            told["defaultCompletionOptions"] = {"contextLength": name.context}
    return told


def cline(access: Access) -> str:
    """Return what to write into the fields of Cline's settings, by their names."""
    model = access.coding
    told: dict[str, Any] = {
        "API Provider": "OpenAI Compatible",
        "Base URL": access.openai_url,
        "API Key": access.key,
        "Model ID": model.name,
        "Supports Images": model.may("vision"),
    }
    return as_yaml(told | ({"Context Window Size": model.context} if model.context else {}))
