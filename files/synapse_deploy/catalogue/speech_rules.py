"""What a model of transcription or speech may say: its kind, source, voices and languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synapse_common.engines import ENGINES, KINDS, PIPER, SPEACHES
from synapse_common.languages import CANTONESE, NAMES
from synapse_common.words import shown
from synapse_deploy.catalogue.rules import Found, Placed, kind_of, kinds_of, named
from synapse_deploy.catalogue.vllm_rules import SOURCE, no_repository

# Its two files are named so; Piper's own are like en_US-lessac-medium, #3 is speaker 3, from 0.
VOICE = re.compile(r"[A-Za-z0-9][\w.-]*(#\d+)?")
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
PIPER_VOICE = "a voice of Piper, such as en_US-lessac-medium"
ENGLISH = ("en",)
# Only the third generation has a word for Cantonese; the others' tokenizer would fail over it.
WHISPER_3 = tuple(NAMES)
WHISPER = tuple(code for code in NAMES if code != CANTONESE)


def languages_of(model: Mapping[str, Any]) -> list[str]:
    """Return what a model understands if its entry does not say it; empty: not known."""
    source = str(model.get("source", ""))
    if model.get("engine") != SPEACHES.name:
        return []
    if source.endswith(".en"):
        return list(ENGLISH)
    return list(WHISPER_3 if "-v3" in source else WHISPER)


def speech(site: Mapping[str, Any]) -> Found:
    """A model is of a kind that its engine serves; its source, voices and languages are such."""
    for model in named(site, "synapse_models").values():
        yield from _kind(model)
        yield from _languages(model)
        engine, source = model.entry.get("engine"), model.entry.get("source")
        if engine == SPEACHES.name and isinstance(source, str) and not SOURCE.fullmatch(source):
            yield (*model.path, "source"), no_repository(source)
        if engine == PIPER.name:
            if isinstance(source, str) and not VOICE.fullmatch(source):
                yield (*model.path, "source"), _no_voice(source)
            yield from _voices(model)


def _kind(model: Placed) -> Found:
    kind, engine = kind_of(model.entry), model.entry.get("engine")
    known = kinds_of(engine)
    if known and kind not in known and kind in KINDS:
        able = [name for name, engine_type in ENGINES.items() if kind in engine_type.kinds]
        yield (
            (*model.path, "kind"),
            f'"{kind}" is not served by engine {engine}; '
            f"{' and '.join([', '.join(able[:-1]), able[-1]])} serve it",
        )


def _voices(model: Placed) -> Found:
    for path, name, voice in model.items("voices"):
        if not NAME.fullmatch(name):
            yield path, "is no name for a voice, such as alloy"
        if not (isinstance(voice, str) and VOICE.fullmatch(voice)):
            yield path, f"must be {PIPER_VOICE}, not {shown(voice)}"


def _no_voice(source: str) -> str:
    return f'"{source}" is not valid; write {PIPER_VOICE}'


def _languages(model: Placed) -> Found:
    known = languages_of(model.entry)
    for path, word in model.names("languages"):
        if not LANGUAGE.fullmatch(word):
            yield path, f'"{word}" is no code of a language, such as en'
        elif known and word not in known:
            yield path, f'"{word}" is not understood by {model.entry["source"]}; take it out'
