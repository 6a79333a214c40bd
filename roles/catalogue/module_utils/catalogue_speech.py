"""What a model that hears or speaks may say: its kind, source, voices and languages."""

from __future__ import annotations

import re
from typing import Any

from catalogue_engine import SOURCE
from catalogue_shape import ENGINE_KINDS, KINDS, Entry, kind_of, kinds_of

# Its two files are named so; Piper's own are like en_US-lessac-medium, with #3 for a third speaker.
VOICE = re.compile(r"[A-Za-z0-9][\w.-]*(#\d+)?")
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
ENGLISH = ("en",)
# What Whisper hears, as faster-whisper spells it (_LANGUAGE_CODES in its tokenizer.py).
WHISPER = (
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs",
    "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi",
    "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi", "hr", "ht", "hu", "hy",  # codespell:ignore fo
    "id", "is", "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb",
    "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt",
    "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru",
    "sa", "sd", "si", "sk", "sl", "sn", "so", "sq", "sr", "su", "sv", "sw",
    "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz", "vi",  # codespell:ignore te
    "yi", "yo", "zh",
)  # fmt: skip
# Only the third generation has a word for Cantonese; the others' tokenizer would fail over it.
WHISPER_3 = (*WHISPER, "yue")


def languages_of(model: Entry) -> list[str]:
    """Return the languages that a model hears if its entry does not say it; empty: not known."""
    source = str(model.get("source", ""))
    if model.get("engine") != "speaches":
        return []
    if source.endswith(".en"):
        return list(ENGLISH)
    return list(WHISPER_3 if "-v3" in source else WHISPER)


def check_speech(label: str, model: Entry) -> list[str]:
    """Describe what a speech engine would stumble over in one entry, and kinds of no use."""
    found = _check_kind(label, model)
    source, engine = model.get("source"), model.get("engine")
    if engine == "speaches" and isinstance(source, str) and not SOURCE.fullmatch(source):
        found.append(f'{label}: source "{source}" must look like owner/name, as on Hugging Face')
    if engine == "piper":
        found += _check_voice(f"{label}: source", source) if isinstance(source, str) else []
        found += _check_voices(label, model.get("voices"))
    return found + _check_languages(label, model)


def _check_kind(label: str, model: Entry) -> list[str]:
    kind, engine = kind_of(model), model.get("engine")
    known = kinds_of(engine)
    if not known or kind in known or kind not in KINDS:
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


def _check_languages(label: str, model: Entry) -> list[str]:
    listed, heard = model.get("languages"), languages_of(model)
    words = [word for word in listed if isinstance(word, str)] if isinstance(listed, list) else []
    found = []
    for word in words:
        if not LANGUAGE.fullmatch(word):
            found.append(f'{label}: languages: "{word}" is no code of a language, such as en')
        elif heard and word not in heard:
            found.append(f'{label}: languages: {model["source"]} does not hear "{word}"')
    return found
