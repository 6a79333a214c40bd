"""Whether somebody answers soon on a server that has no model yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_common.engines import OLLAMA, VLLM
from synapse_deploy.catalogue.memory import number
from synapse_deploy.catalogue.rules import Found, kind_of, named
from synapse_ollama.order import CHAT, STARTER_GIB
from synapse_ollama.plan import FILE_PREFIX

PATH = ("synapse_models",)


def starter(site: Mapping[str, Any]) -> Found:
    """A model that chats on the CPU is small enough for a first answer soon."""
    models = [model.entry for model in named(site, "synapse_models").values()]
    chatting = [model for model in models if kind_of(model) == CHAT]
    on_cpu = [model for model in chatting if model.get("engine") == OLLAMA.name]
    if not on_cpu:
        if site.get("synapse_gpus") and any(one.get("engine") == VLLM.name for one in chatting):
            yield (
                PATH,
                "none of them chats on the CPU: the first answer waits for a model of the GPU, its "
                f"image and its start; a model of engine ollama with at most {STARTER_GIB:g} GiB "
                "answers before",
            )
        return
    if any(str(one.get("source", "")).startswith(FILE_PREFIX) for one in on_cpu):
        return
    smallest = min(on_cpu, key=lambda one: number(one.get("disk_gib")))
    size_gib = number(smallest.get("disk_gib"))
    if size_gib > STARTER_GIB:
        yield (
            PATH,
            f"the smallest that chats on the CPU is {smallest.get('name')} with {size_gib:g} GiB: "
            f"the first answer waits for that; one with at most {STARTER_GIB:g} GiB answers before",
        )
