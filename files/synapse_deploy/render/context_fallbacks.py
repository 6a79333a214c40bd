"""Who answers a request that is too long for a model. Pure, without Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import ENGINES

Entry = Mapping[str, Any]


def roomier(models: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return per model who answers a request that is too long for it.

    Every model is listed: for one that is not, LiteLLM would take the ordinary fallbacks. The
    chain is complete, and nobody in it falls back further, lest a smaller model answers in the end.
    """
    by_name = {model["name"]: model for model in models}
    return [
        {
            name: [
                {"model": other, "disable_fallbacks": True}
                for other in _chain(name, by_name)
                if _may_hold_more(by_name[other], model)
            ]
        }
        for name, model in by_name.items()
    ]


def _chain(name: str, models: Mapping[str, Entry]) -> list[str]:
    """Return all fallbacks of a model in the order in which they are tried."""
    found: list[str] = []
    for fallback in models[name]["fallbacks"]:
        found += [fallback, *_chain(fallback, models)]
    return list(dict.fromkeys(found))


def _may_hold_more(model: Entry, full: Entry) -> bool:
    """Say whether a model could answer what is too long for another, and would say if it cannot.

    Ollama cuts a prompt that is too long without a word, so it must be known to have the room.
    """
    room, needed = model.get("context"), full.get("context")
    if room and needed:
        return bool(room > needed)
    return not ENGINES[model["engine"]].cuts_long_prompts
