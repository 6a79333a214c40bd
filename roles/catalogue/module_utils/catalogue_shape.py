"""The keys a user may write, and the check of each entry on its own: pure functions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]

KINDS = ("chat", "embedding", "transcription", "speech")
# What each engine can do; the first is meant where an entry does not say it.
ENGINE_KINDS = {
    "vllm": ("chat", "embedding"),
    "ollama": ("chat", "embedding"),
    "speaches": ("transcription",),
    "piper": ("speech",),
    "openai": KINDS,
}
ENGINES = tuple(ENGINE_KINDS)
PRIORITIES = ("interactive", "batch")
SERVICE_TYPES = ("LoadBalancer", "NodePort", "ClusterIP")
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "whole number": (int,),
    "number": (int, float),
    "list": (list,),
    "mapping": (dict,),
    "mappings": (list,),
}


@dataclass(frozen=True)
class Field:
    """What one key may hold; `engines` limits a model's key to some engines."""

    type: str
    required: bool = False
    nullable: bool = False
    choices: tuple[str, ...] = ()
    engines: tuple[str, ...] = ENGINES
    pattern: str = ""
    hint: str = ""
    maximum: float | None = None


URL = r"https?://[^\s/]+(/\S*)?"
PATH = r"/\S*"

MODEL_FIELDS = {
    "name": Field("text", required=True),
    "engine": Field("text", required=True, choices=ENGINES),
    "source": Field("text", required=True),
    "kind": Field("text", choices=KINDS),
    "context": Field("whole number", nullable=True, engines=("vllm", "ollama", "openai")),
    "vram_gib": Field("number", required=True, engines=("vllm",)),
    "kv_cache_gib": Field("number", required=True, engines=("vllm",)),
    "disk_gib": Field("number", nullable=True, engines=("vllm", "ollama", "speaches", "piper")),
    "fallbacks": Field("list"),
    "engine_args": Field("mapping", engines=("vllm", "ollama", "openai")),
    "languages": Field("list", engines=("speaches", "openai")),
    "voices": Field("mapping", engines=("piper",)),
    "environment": Field("mapping", engines=("vllm",)),
    "base_url": Field(
        "text",
        required=True,
        engines=("openai",),
        pattern=URL,
        hint="such as https://api.example.com/v1",
    ),
    "api_key": Field("text", nullable=True, engines=("openai",)),
}
ALIAS_FIELDS = {
    "name": Field("text", required=True),
    "model": Field("text", required=True),
}
APP_FIELDS = {
    "name": Field("text", required=True),
    "models": Field("list", required=True),
    "requests_per_minute": Field("whole number", nullable=True),
    "tokens_per_minute": Field("whole number", nullable=True),
    "parallel_requests": Field("whole number", nullable=True),
    "priority": Field("text", choices=PRIORITIES),
    "max_wait_s": Field("number", nullable=True),
}
PLATFORM_FIELDS = {
    "synapse_namespace": Field(
        "text", required=True, pattern=DNS_LABEL.pattern, hint="a DNS label"
    ),
    "synapse_kubeconfig": Field("text", required=True),
    "synapse_gpus": Field("mappings"),
    "synapse_gpu_store_gib": Field("number", required=True),
    "synapse_storage_class": Field("text", required=True),
    "synapse_gateway_port": Field("whole number", required=True, maximum=65535),
    "synapse_gateway_service_type": Field("text", required=True, choices=SERVICE_TYPES),
    "synapse_gateway_node_port": Field("whole number", nullable=True, maximum=65535),
    "synapse_gateway_ingress": Field("mapping", nullable=True),
    "synapse_model_files_path": Field(
        "text", nullable=True, pattern=PATH, hint="an absolute path on the server"
    ),
    "synapse_cpu_cores": Field("number", required=True),
    "synapse_cpu_memory_gib": Field("number", required=True),
    "synapse_cpu_parallel_requests": Field("whole number", required=True),
    "synapse_cpu_loaded_models": Field("whole number", required=True),
    "synapse_cpu_store_gib": Field("number", required=True),
    "synapse_speech_cpu_cores": Field("number", required=True),
    "synapse_speech_memory_gib": Field("number", required=True),
    "synapse_speech_store_gib": Field("number", required=True),
    "synapse_keep_alive": Field(
        "text", required=True, pattern=r"([1-9]\d*(s|m|h))+", hint="such as 15m; it must end"
    ),
}
GPU_FIELDS = {
    "vram_gib": Field("number", required=True),
    "sleeper_gib": Field("number"),
}
INGRESS_FIELDS = {
    "host": Field("text", required=True),
    "tls_secret": Field("text", required=True),
}

# Variables that are derived in wiring.yml, and the three lists.
LISTS = ("synapse_models", "synapse_aliases", "synapse_apps")
DERIVED = ("synapse_catalogue", "synapse_names", "synapse_clients")


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the nearest known word, or nothing."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def kinds_of(engine: Any) -> tuple[str, ...]:
    """Return what an engine can do; nothing for what is no engine."""
    return ENGINE_KINDS.get(engine, ()) if isinstance(engine, str) else ()


def kind_of(model: Mapping[str, Any]) -> Any:
    """Return the kind of a model, as its entry or else its engine says."""
    return model.get("kind", (kinds_of(model.get("engine")) or KINDS)[0])


def entries_of(value: Any, what: str, variable: str) -> tuple[list[tuple[str, Entry]], list[str]]:
    """Split a list variable into (label, entry) pairs and the sentences about what is no entry."""
    if not isinstance(value, list):
        return [], [f"{variable} is no list; write entries that start with `- name:`"]
    pairs, found = [], []
    for number, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            found.append(f"{what} number {number}: is no mapping; write `- name: ...`")
            continue
        name = entry.get("name")
        label = f"{what} {name}" if isinstance(name, str) else f"{what} number {number}"
        pairs.append((label, entry))
    return pairs, found


def check_model(label: str, model: Entry) -> list[str]:
    """Check one model on its own; which keys it needs depends on its engine."""
    found = check_fields(label, model, MODEL_FIELDS, engine=model.get("engine"))
    source = str(model.get("source", ""))
    if source.startswith("file:") and not re.fullmatch(r"file:[\w.-]+\.gguf", source):
        found.append(f'{label}: source "{source}" must look like file:name.gguf')
    return found


def check_fields(
    label: str, entry: Mapping[str, Any], fields: Mapping[str, Field], engine: Any = None
) -> list[str]:
    """Describe unknown, missing, misplaced and wrongly typed keys of one entry."""
    found = [
        f'{label}: nobody reads the key "{key}"{suggest(key, fields)}'
        for key in entry
        if key not in fields
    ]
    for key, field in fields.items():
        applies = engine not in ENGINES or engine in field.engines
        if key in entry and not applies:
            found.append(f'{label}: engine {engine} has no "{key}"; it is for {_or(field.engines)}')
        elif key in entry:
            found += check_value(f"{label}: {key}", entry[key], field)
        elif field.required and applies and (field.engines == ENGINES or engine in ENGINES):
            found.append(f'{label}: the key "{key}" is missing')
    return found


def check_value(label: str, value: Any, field: Field) -> list[str]:
    """Describe what is wrong with one value, in at most one sentence."""
    if value is None and field.nullable:
        return []
    if not _is_a(field.type, value):
        return [f"{label} must be a {field.type}, not {_shown(value)}"]
    if field.choices and value not in field.choices:
        return [
            f'{label} "{value}" is not one of {_or(field.choices)}{suggest(value, field.choices)}'
        ]
    if "number" in field.type and value <= 0:
        return [f"{label} must be greater than 0, not {value}"]
    if field.maximum is not None and value > field.maximum:
        return [f"{label} must be at most {field.maximum:g}, not {value}"]
    if field.type == "list" and not all(isinstance(item, str) for item in value):
        return [f"{label} must be a list of names, not {_shown(value)}"]
    if field.required and value in ("", []):
        return [f"{label} is empty"]
    if field.pattern and not re.fullmatch(field.pattern, value):
        return [f'{label} "{value}" is not valid; write {field.hint}']
    return []


def _is_a(type_name: str, value: Any) -> bool:
    return isinstance(value, TYPES[type_name]) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return "nothing (null)" if value is None else f"{value!r}"


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
