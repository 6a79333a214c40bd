"""Rules about the server's memory, which everything that runs shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_common.engines import AUDIO_KINDS, OLLAMA, PIPER, SPEACHES, VLLM
from synapse_deploy.catalogue import options
from synapse_deploy.catalogue.memory import (
    ALLOCATOR,
    EXACT_PINS,
    copies,
    copy_gib,
    number,
    pins_exactly,
    weights_gib,
)
from synapse_deploy.catalogue.rules import Found, kind_of, named

SYSTEM_GIB = 4.0
"""What the operating system, Kubernetes and small pods of fixed size take themselves: the model
fetcher's, the device plugin's, Home Assistant's bridge's."""
MIB = 1024


def server(site: Mapping[str, Any]) -> Found:
    """What everything may use together fits into the server, where a site says how large it is."""
    has = number(site.get("synapse_memory_gib"))
    parts = _parts(site)
    needed = round(sum(gib for gib, _ in parts), 1)
    if needed > has > 0:
        told = " + ".join(f"{round(gib, 1):g} {text}" for gib, text in parts)
        exactly = all(pins_exactly(model) for model in _engines(site))
        remedy = "" if exactly else f", or have the engines pin exactly ({ALLOCATOR}: {EXACT_PINS})"
        yield (
            ("synapse_memory_gib",),
            f"{has:g} is less than may be used at once, {needed:g} GiB: {told}; lower one of these "
            f"limits, take out a GPU model{remedy}",
        )


def needed_gib(site: Mapping[str, Any]) -> float:
    """Return what everything that a site deploys may use together of the server's memory."""
    return sum(gib for gib, _ in _parts(site))


def _parts(site: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Return what each part may use, with its name as the sum shows it."""
    used = {model.entry.get("engine") for model in named(site, "synapse_models").values()}
    found = [(SYSTEM_GIB, "the system"), (_option(site, "gateway_memory_mib") / MIB, "gateway")]
    kinds = {kind_of(model.entry) for model in named(site, "synapse_models").values()}
    if kinds - set(AUDIO_KINDS):
        found.append((_option(site, "litellm_memory_mib") / MIB, "LiteLLM"))
    if engines := _engines(site):
        overhead = _option(site, "vllm_overhead_gib")
        terms = ", ".join(
            f"{model['name']} {copies(model):g} x {weights_gib(model):g} + {overhead:g}"
            for model in engines
        )
        found += [
            (_option(site, "arbiter_memory_mib") / MIB, "arbiter"),
            (sum(copy_gib(one) + overhead for one in engines), f"engines on the GPU ({terms})"),
        ]
    if site.get("chat_enabled") is True:
        found.append((_option(site, "chat_memory_gib"), "the chat page"))
    if OLLAMA.name in used:
        text = "models on the CPU (synapse_cpu_memory_gib)"
        found.append((number(site.get("synapse_cpu_memory_gib")), text))
    if pods := len(used & {SPEACHES.name, PIPER.name}):
        text = f"audio ({pods} x synapse_speech_memory_gib)"
        found.append((pods * number(site.get("synapse_speech_memory_gib")), text))
    return found


def _engines(site: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    models = named(site, "synapse_models").values() if site.get("synapse_gpus") else ()
    return [model.entry for model in models if model.entry.get("engine") == VLLM.name]


def _option(site: Mapping[str, Any], name: str) -> float:
    return number(site.get(name, options.defaults().get(name)))
