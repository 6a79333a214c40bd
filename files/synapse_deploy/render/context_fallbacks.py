"""Who answers a request that is too long for a model. Pure, without Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Entry = Mapping[str, Any]


def roomier(models: Iterable[Entry]) -> dict[str, list[dict[str, Any]]]:
    """Return per model who answers a request that is too long for it.

    Every model is listed: for one that is not, LiteLLM would take the ordinary fallbacks. The
    chain is complete, and nobody in it falls back further, lest a smaller model answers in the end.
    """
    by_name = {model["name"]: model for model in models}
    return {
        name: [
            {"model": other, "disable_fallbacks": True}
            for other in _chain(name, by_name)
            if _may_hold_more(by_name[other], model)
        ]
        for name, model in by_name.items()
    }


def _chain(name: str, models: Mapping[str, Entry]) -> list[str]:
    """Return all fallbacks of a model in the order in which they are tried."""
    found: list[str] = []
    for fallback in models[name]["fallbacks"]:
        found += [fallback, *_chain(fallback, models)]
    return list(dict.fromkeys(found))


def _may_hold_more(model: Entry, full: Entry) -> bool:
    """Say whether a model could answer what is too long for another: every engine says if not."""
    room, needed = model.get("context"), full.get("context")
    return bool(room > needed) if room and needed else True
