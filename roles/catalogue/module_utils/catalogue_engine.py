"""What a model of engine vllm may say about its engine: its name, options and environment."""

from __future__ import annotations

import re
from typing import Any

from catalogue_shape import Entry

# A StatefulSet's pods carry labels made of its name and up to 11 characters, of 63 at most.
NAME_LENGTH = 45
SOURCE = re.compile(r"[\w.][\w.-]*/[\w.][\w.-]*")
OPTION = re.compile(r"[a-z][a-z0-9-]*(\.\S+)?")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")

ONE_SERVER = "the arbiter talks to one process on one card"
OWN_OPTIONS = {
    "api-key": "only the arbiter reaches an engine",
    "api-server-count": ONE_SERVER,
    "config": "write the options themselves",
    "data-parallel-size": ONE_SERVER,
    "disable-access-log-for-endpoints": "",
    "download-dir": "the models' volume has one place for all",
    "enable-sleep-mode": "",
    "headless": ONE_SERVER,
    "host": "",
    "kv-cache-memory-bytes": "write kv_cache_gib",
    "max-model-len": "write context",
    "model": "write source",
    "pipeline-parallel-size": ONE_SERVER,
    "port": "",
    "root-path": "",
    "runner": "write kind",
    "served-model-name": "write name",
    "ssl-certfile": "the arbiter speaks plain HTTP",
    "ssl-keyfile": "the arbiter speaks plain HTTP",
    "tensor-parallel-size": ONE_SERVER,
    "uds": "",
}
OWN_VARIABLES = {
    "HF_HOME", "HF_HUB_OFFLINE", "HF_TOKEN", "HOME", "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR", "USER", "VLLM_API_KEY", "VLLM_CACHE_ROOT", "VLLM_DO_NOT_TRACK",
    "VLLM_NO_USAGE_STATS", "VLLM_PORT", "VLLM_SERVER_DEV_MODE",
}  # fmt: skip


def check_engine(label: str, model: Entry) -> list[str]:
    """Describe what vLLM or Synapse would stumble over in one entry; nothing of other engines."""
    if model.get("engine") != "vllm":
        return []
    found = []
    name, source = model.get("name"), model.get("source")
    if isinstance(name, str) and NAME_LENGTH < len(name) <= 63:
        found.append(
            f"{label}: the name has {len(name)} characters; a model of engine vllm may have "
            f"{NAME_LENGTH}"
        )
    if isinstance(source, str) and not SOURCE.fullmatch(source):
        found.append(f'{label}: source "{source}" must look like owner/name, as on Hugging Face')
    for key, value in _items(model, "engine_args"):
        found += _check_option(f"{label}: engine_args", key, value)
    for key, value in _items(model, "environment"):
        found += _check_variable(f"{label}: environment", key, value)
    return found


def _items(model: Entry, key: str) -> list[tuple[str, Any]]:
    inner = model.get(key)
    return [(str(name), inner[name]) for name in inner] if isinstance(inner, dict) else []


def _check_option(label: str, key: str, value: Any) -> list[str]:
    first, dot, rest = key.lstrip("-").partition(".")
    proper = first.replace("_", "-").lower()
    if proper.removeprefix("no-") in OWN_OPTIONS:
        hint = OWN_OPTIONS[proper.removeprefix("no-")]
        return [f'{label}: Synapse sets "{proper}" itself' + (f"; {hint}" if hint else "")]
    if not OPTION.fullmatch(key):
        return [
            f'{label}: "{key}" is no option of vLLM without its dashes; write "{proper}{dot}{rest}"'
        ]
    if key == "max-num-seqs" and not _is_count(value):
        return [f'{label}: "{key}" must be a whole number greater than 0, not {value!r}']
    if value is None or value is False:
        return [
            f'{label}: "{key}" has no value; leave it out, or write "no-{key}: true" '
            "to switch it off"
        ]
    return []


def _check_variable(label: str, key: str, value: Any) -> list[str]:
    if key in OWN_VARIABLES:
        return [f'{label}: Synapse sets "{key}" itself']
    if not VARIABLE.fullmatch(key):
        return [f'{label}: "{key}" is no name of a variable; write capitals, such as VLLM_USE_X']
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return [f'{label}: "{key}" must be a text or a number; write "1" rather than true']
    return []


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
