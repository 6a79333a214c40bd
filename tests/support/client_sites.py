"""Applications of one site, for the settings of their clients."""

from __future__ import annotations

from typing import Any

from synapse_deploy.clients.access import Access, access

URL = "http://forge:8000"
KEYS = {
    name: f"sk-synapse-{name}-0123456789abcdef"
    for name in ("open-webui", "open-webui-tasks", "plain", "all", "silent", "speaker")
}
MODELS: list[dict[str, Any]] = [
    {"name": "gemma", "kind": "chat", "context": 65536, "capabilities": ["vision", "tools"]},
    {"name": "qwen", "kind": "chat", "context": 32768, "capabilities": ["tools", "reasoning"]},
    {"name": "small", "kind": "chat", "context": 8192},
    {"name": "vectors", "kind": "embedding", "context": 8192},
    {"name": "ranks", "kind": "rerank"},
    {"name": "whisper", "kind": "transcription", "languages": ["en", "de"]},
    {"name": "piper", "kind": "speech", "voices": {"alloy": "en_US-x", "nova": "en_US-y"}},
]
ALIASES = [
    {"name": "chat", "model": "gemma"},
    {"name": "code", "model": "qwen"},
    {"name": "fast", "model": "small"},
    {"name": "embed", "model": "vectors"},
    {"name": "whisper-1", "model": "whisper"},
    {"name": "tts-1", "model": "piper"},
]
APPS: list[dict[str, Any]] = [
    {
        "name": "open-webui",
        "models": ["chat", "code", "fast", "embed", "ranks", "whisper-1", "tts-1"],
        "lists": ["chat", "code"],
    },
    {"name": "open-webui-tasks", "models": ["fast"], "tasks_of": "open-webui"},
    {"name": "plain", "models": ["qwen", "small"]},
    {"name": "all", "models": ["*"]},
    {"name": "silent", "models": ["small", "vectors"]},
    {"name": "speaker", "models": ["tts-1"]},
]


def of(app: str, **keys: str) -> Access:
    """Return what an application has."""
    return access(app, MODELS, ALIASES, APPS, URL, KEYS | keys)
