"""What a model of engine vllm may say about its engine: its name, options and environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.engines import OLDEST_VLLM, VLLM, dotted, too_old, vllm_version
from synapse_common.words import shown
from synapse_deploy.catalogue.memory import ALLOCATOR, EXACT_SINCE, pins_exactly
from synapse_deploy.catalogue.rules import Found, named, tag_of

# A StatefulSet's pods carry labels made of its name and up to 11 characters, of 63 at most.
NAME_LENGTH = 45
SOURCE = re.compile(r"[\w.][\w.-]*/[\w.][\w.-]*")
OPTION = re.compile(r"[a-z][a-z0-9-]*(\.\S+)?")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")

ONE_SERVER = "the arbiter talks to one process on one GPU"
OWN_OPTIONS = {
    "allowed-media-domains": "write gateway_media_domains",
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
    "shutdown-timeout": "the pod's own time to end goes by it",
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


def vllm(site: Mapping[str, Any]) -> Found:
    """A vllm model has a name that fits its pod, a Hugging Face id, and no option of Synapse's."""
    for name, model in named(site, "synapse_models").items():
        if model.entry.get("engine") != VLLM.name:
            continue
        source = model.entry.get("source")
        if NAME_LENGTH < len(name) <= 63:
            yield (
                model.path,
                f"the name has {len(name)} characters; a model of engine vllm may have "
                f"{NAME_LENGTH}",
            )
        if isinstance(source, str) and not SOURCE.fullmatch(source):
            yield (*model.path, "source"), no_repository(source)
        for path, key, value in model.items("engine_args"):
            for text in _option(key, value):
                yield path, text
        for path, key, value in model.items("environment"):
            for text in _variable(key, value):
                yield path, text


def version(site: Mapping[str, Any]) -> Found:
    """The engines' image is not older than is needed, as far as its tag tells."""
    tag = tag_of(str(site.get("vllm_image", "")))
    if too_old(tag):
        yield (
            ("vllm_image",),
            f'"{tag}" is older than vLLM {dotted(OLDEST_VLLM)}, which Synapse needs at least; '
            "name a newer image, or take the line out",
        )
    if (told := vllm_version(tag)) is None or told >= EXACT_SINCE:
        return
    for model in named(site, "synapse_models").values():
        if model.entry.get("engine") == VLLM.name and pins_exactly(model.entry):
            yield (
                (*model.path, "environment", ALLOCATOR),
                f"makes every sleep after the first wake fail before vLLM {dotted(EXACT_SINCE)} "
                f'(pytorch #192722), and vllm_image is "{tag}"; take it out, or name a newer image',
            )


def no_repository(source: str) -> str:
    """Return that a source is no id of Hugging Face."""
    return f'"{source}" must look like owner/name, as on Hugging Face'


def _option(key: str, value: Any) -> Iterator[str]:
    first, dot, rest = key.lstrip("-").partition(".")
    proper = first.replace("_", "-").lower()
    if proper.removeprefix("no-") in OWN_OPTIONS:
        hint = OWN_OPTIONS[proper.removeprefix("no-")]
        yield "is set by Synapse itself" + (f"; {hint}" if hint else "; take it out")
    elif not OPTION.fullmatch(key):
        yield f'is no option of vLLM without its dashes; write "{proper}{dot}{rest}"'
    elif key == "max-num-seqs" and not _is_count(value):
        yield f"must be a whole number of at least 1, not {shown(value)}"
    elif value is None or value is False:
        yield f'has no value; leave it out, or write "no-{key}: true" to switch it off'


def _variable(key: str, value: Any) -> Iterator[str]:
    if key in OWN_VARIABLES:
        yield "is set by Synapse itself; take it out"
    elif not VARIABLE.fullmatch(key):
        yield "is no name of a variable; write capitals, such as VLLM_USE_X"
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        yield 'must be a text or a number; write "1" rather than true'


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
