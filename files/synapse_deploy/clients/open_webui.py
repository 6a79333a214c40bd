"""Open WebUI: its environment, so that everything that it asks for is asked here.

The names of the settings were read in the version that versions.yml names.
"""

from __future__ import annotations

import json
from typing import Any

from synapse_deploy.clients.access import Access

PREFIX = "task"
"""What it puts before the names of the second connection, so that they differ from the first's."""
EMBEDDING_BATCH = "8"
PROVIDER = "llama.cpp"
"""With it, Open WebUI shows what our list of models tells as loaded with a green dot."""


def environment(access: Access) -> dict[str, str]:
    """Return its whole environment but for what belongs to the place where it runs."""
    chat = access.chat.name
    return {
        **_chats(access),
        "DEFAULT_MODELS": chat,
        "DEFAULT_MODEL_METADATA": _json({"capabilities": _capabilities(access)}),
        "BYPASS_MODEL_ACCESS_CONTROL": "true",
        **_documents(access),
        **_listening(access),
        **_speaking(access),
        # Who asks, for applications with person_from.
        "ENABLE_FORWARD_USER_INFO_HEADERS": "true",
        # Else its database keeps the first values for ever, and a new key changes nothing.
        "ENABLE_PERSISTENT_CONFIG": "false",
        "OFFLINE_MODE": "true",
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "false",
        "DO_NOT_TRACK": "true",
        "SCARF_NO_ANALYTICS": "true",
        "ENABLE_VERSION_UPDATE_CHECK": "false",
        "ENABLE_COMMUNITY_SHARING": "false",
    }


def _chats(access: Access) -> dict[str, str]:
    """Return its connections: the chats', and one with the key for its own small tasks."""
    first: dict[str, Any] = {"enable": True, "provider": PROVIDER}
    if not access.listed_are_chats:  # a list by hand has no green dots
        first["model_ids"] = [one.name for one in access.chats]
    keys, configs, task = [access.key], {"0": first}, access.task_name
    if access.tasks:
        name = access.tasks.names[0]
        keys.append(access.tasks.key)
        configs["1"] = {"enable": True, "prefix_id": PREFIX, "model_ids": [name]}
        task = f"{PREFIX}.{name}"
    told = {
        "ENABLE_OPENAI_API": "true",
        "ENABLE_OLLAMA_API": "false",
        "OPENAI_API_BASE_URLS": ";".join([access.openai_url] * len(keys)),
        "OPENAI_API_KEYS": ";".join(keys),
        "OPENAI_API_CONFIGS": _json(configs),
    }
    return told | ({"TASK_MODEL_EXTERNAL": task} if task else {})


def _capabilities(access: Access) -> dict[str, bool]:
    """Return what it believes of every model: its own 36 tools alone are 25 kB for each question.

    Where one model sees, pictures may be sent; the others refuse them in a sentence.
    """
    return {"builtin_tools": False, "vision": any(one.may("vision") for one in access.chats)}


def _documents(access: Access) -> dict[str, str]:
    """Return how documents are read: by our embeddings, else whole, but nowhere else."""
    embedding, rerank = access.first("embedding"), access.first("rerank")
    if embedding is None:
        return {"BYPASS_EMBEDDING_AND_RETRIEVAL": "true"}
    told = {
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_EMBEDDING_MODEL": embedding.name,
        "RAG_EMBEDDING_BATCH_SIZE": EMBEDDING_BATCH,
        "RAG_OPENAI_API_BASE_URL": access.openai_url,
        "RAG_OPENAI_API_KEY": access.key,
    }
    if rerank is None:
        return told
    return told | {
        "ENABLE_RAG_HYBRID_SEARCH": "true",
        "RAG_RERANKING_ENGINE": "external",
        "RAG_RERANKING_MODEL": rerank.name,
        "RAG_EXTERNAL_RERANKER_URL": f"{access.openai_url}/rerank",
        "RAG_EXTERNAL_RERANKER_API_KEY": access.key,
    }


def _listening(access: Access) -> dict[str, str]:
    """Return who writes down what is said: we, else nobody."""
    transcription = access.first("transcription")
    if transcription is None:  # its own Whisper would be downloaded, the browser's asks its maker
        return {"USER_PERMISSIONS_CHAT_STT": "false", "USER_PERMISSIONS_CHAT_CALL": "false"}
    return {
        "AUDIO_STT_ENGINE": "openai",
        "AUDIO_STT_MODEL": transcription.name,
        "AUDIO_STT_OPENAI_API_BASE_URL": access.openai_url,
        "AUDIO_STT_OPENAI_API_KEY": access.key,
    }


def _speaking(access: Access) -> dict[str, str]:
    """Return who reads aloud: we, else the browser, with the voices of its machine."""
    speech = access.first("speech")
    if speech is None:
        return {}
    return {
        "AUDIO_TTS_ENGINE": "openai",
        "AUDIO_TTS_MODEL": speech.name,
        "AUDIO_TTS_VOICE": access.voice,
        "AUDIO_TTS_OPENAI_API_BASE_URL": access.openai_url,
        "AUDIO_TTS_OPENAI_API_KEY": access.key,
    }


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
