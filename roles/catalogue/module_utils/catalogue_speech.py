"""What a model that hears or speaks may say: its kind, source, voices and languages."""

from __future__ import annotations

import re
from typing import Any

from catalogue_engine import SOURCE
from catalogue_shape import ENGINE_KINDS, KINDS, Entry, kind_of

# Its two files are named so; Piper's own are like en_US-lessac-medium, with #3 for a third speaker.
VOICE = re.compile(r"[A-Za-z0-9][\w.-]*(#\d+)?")
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}")


def check_speech(label: str, model: Entry) -> list[str]:
    """Describe what a speech engine would stumble over in one entry, and kinds of no use."""
    found = _check_kind(label, model)
    source, engine = model.get("source"), model.get("engine")
    if engine == "speaches" and isinstance(source, str) and not SOURCE.fullmatch(source):
        found.append(f'{label}: source "{source}" must look like owner/name, as on Hugging Face')
    if engine == "piper":
        found += _check_voice(f"{label}: source", source) if isinstance(source, str) else []
        found += _check_voices(label, model.get("voices"))
    return found + _check_languages(label, model.get("languages"))


def _check_kind(label: str, model: Entry) -> list[str]:
    kind, engine = kind_of(model), model.get("engine")
    known = ENGINE_KINDS.get(engine) if isinstance(engine, str) else None
    if known is None or kind in known or kind not in KINDS:
        return []
    able = [name for name, kinds in ENGINE_KINDS.items() if kind in kinds]
    return [f"{label}: engine {engine} serves no kind {kind}; {' and '.join(able)} do"]


def _check_voices(label: str, voices: Any) -> list[str]:
    found = []
    for name, voice in voices.items() if isinstance(voices, dict) else ():
        if not NAME.fullmatch(str(name)):
            found.append(f'{label}: voices: "{name}" is no name for a voice, such as alloy')
        found += _check_voice(f"{label}: voices: {name}", voice)
    return found


def _check_voice(label: str, voice: Any) -> list[str]:
    if isinstance(voice, str) and VOICE.fullmatch(voice):
        return []
    return [f'{label} "{voice}" is no voice of Piper, such as en_US-lessac-medium']


def _check_languages(label: str, languages: Any) -> list[str]:
    return [
        f'{label}: languages: "{language}" is no code of a language, such as en'
        for language in (languages if isinstance(languages, list) else ())
        if isinstance(language, str) and not LANGUAGE.fullmatch(language)
    ]
