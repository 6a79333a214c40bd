"""The voices that an application may speak with, as our speech engines list them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import orjson

from synapse_common.answers.judges import CutShort
from synapse_common.answers.whole import read_within
from synapse_gateway.config import Config, Model
from synapse_gateway.relay.engines import UNREACHED, Engines

PATH = "/audio/voices"
WITHIN_S = 2.0
"""An engine that has not listed its voices by then is told as unavailable."""
SHOWN = ("name", "model", "language")
"""What is read of each voice."""
LIST_AT_MOST = 1024**2
"""Bytes: a voice takes about 100, and Piper has some hundreds."""


async def listing(permitted: Collection[str], config: Config, engines: Engines) -> bytes:
    """Return every voice of these models; `unavailable` names the models unheard of.

    What providers outside can say is in their own documentation.
    """
    places: dict[str, list[Model]] = {}
    for model in config.models.values():
        if "voices" in model.engine_type.dialects and model.name in permitted:
            places.setdefault(model.url, []).append(model)
    told = await asyncio.gather(*(_told(models[0], engines) for models in places.values()))
    data: list[dict[str, str]] = []
    unavailable: list[str] = []
    for models, voices in zip(places.values(), told, strict=True):
        if voices is None:
            unavailable += [model.name for model in models]
        else:
            data += [entry for model in models for entry in entries(model, voices)]
    # OpenAI writes lists under `data`; Open WebUI reads `voices`.
    told_all = {"object": "list", "data": data, "voices": data, "unavailable": unavailable}
    return orjson.dumps(told_all)


def entries(model: Model, voices: list[Any]) -> list[dict[str, str]]:
    """Return what an engine tells of one model's voices, in the shape of OpenAI's lists."""
    return [
        {"id": each["name"], "object": "voice", "name": each["name"]}
        | {"model": model.name, "language": each["language"]}
        for each in voices
        if each["model"] == model.served_name
    ]


async def _told(model: Model, engines: Engines) -> list[Any] | None:
    """Return all voices of the engine that serves a model, None if it does not say."""
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            engines.ask("GET", model, PATH, {}, silence_s=WITHIN_S) as answer,
        ):
            if answer.status != 200:
                return None
            told = orjson.loads(await read_within(answer, LIST_AT_MOST))
        return [{name: each[name] for name in SHOWN} for each in told["voices"]]
    except (*UNREACHED, CutShort, ValueError, KeyError, TypeError):
        return None
