"""The fields of an audio request: understood however clients spell them, or refused by name.

Speaches answers some wrong values with status 500, and of a field that is repeated it takes the
last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_common.languages import code_of
from synapse_gateway import errors
from synapse_gateway.config import Model

Fields = tuple[tuple[str, str], ...]

FORMAT, VERBOSE = "response_format", "verbose_json"
WITH_TIMES = ("srt", "vtt", VERBOSE)
FORMATS = ("json", "text", *WITH_TIMES)
TIMES, TIMES_OF_SOME = "timestamp_granularities[]", "timestamp_granularities"
WORD = "word"
GRANULARITIES = (WORD, "segment")
HOTTEST = 1.0
TRUTHS = {
    **dict.fromkeys(("true", "1", "yes", "on"), "true"),
    **dict.fromkeys(("false", "0", "no", "off"), "false"),
}
IN_SMALL_LETTERS = (FORMAT, "stream_format")


def checked(fields: Fields, asked: str, model: Model) -> Fields:
    """Return the fields as an engine shall see them; refuse values that none understands."""
    # An empty field is how forms leave something out; of a repeated one the first counts.
    first = dict(reversed([(name, value) for name, value in fields if value.strip()]))
    first |= {name: first[name].strip().lower() for name in IN_SMALL_LETTERS if name in first}
    times = _times(fields)
    if first.get(FORMAT, "json") not in FORMATS:
        raise errors.malformed(f"'{FORMAT}' must be one of {', '.join(FORMATS)}.", FORMAT)
    if WORD in times and first.get(FORMAT) != VERBOSE:
        raise errors.malformed(f"Times of words are told in {FORMAT} {VERBOSE} only.", TIMES)
    _check_temperature(first.get("temperature", "0"))
    if "stream" in first:
        first["stream"] = _truth(first["stream"])
    language = _language(first.pop("language", ""), asked, model.languages)
    if language:
        first["language"] = language
    kept = [pair for pair in first.items() if pair[0] not in ("model", TIMES, TIMES_OF_SOME)]
    return (*kept, *((TIMES, value) for value in times))


def spelled(fields: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Return a request for speech with formats and voices spelled as the engine spells them."""
    kept = {name: value for name, value in fields.items() if value != ""}
    for name in IN_SMALL_LETTERS:
        if isinstance(kept.get(name), str):
            kept[name] = kept[name].strip().lower()
    voice = kept.get("voice")
    if isinstance(voice, str) and voice not in model.voices:
        known = {name.lower(): name for name in model.voices}
        kept["voice"] = known.get(voice.strip().lower(), voice)
    return kept


def _times(fields: Fields) -> list[str]:
    """Return the kinds of times that are wanted; some clients leave the brackets out."""
    wanted = {
        value.strip().lower(): name for name, value in fields if name in (TIMES, TIMES_OF_SOME)
    }
    for value, name in wanted.items():
        if value not in ("", *GRANULARITIES):
            raise errors.malformed(f"'{name}' must be {' or '.join(GRANULARITIES)}.", name)
    return [value for value in GRANULARITIES if value in wanted]


def _check_temperature(written: str) -> None:
    try:
        fits = 0 <= float(written) <= HOTTEST
    except ValueError:
        fits = False
    if not fits:
        message = f"'temperature' must be a number from 0 to {HOTTEST:g}."
        raise errors.malformed(message, "temperature")


def _truth(written: str) -> str:
    truth = TRUTHS.get(written.strip().lower())
    if truth is None:
        raise errors.malformed("'stream' must be true or false.", "stream")
    return truth


def _language(written: str, asked: str, known: tuple[str, ...]) -> str | None:
    """Return the code of a language; where none are known the engine decides."""
    code = code_of(written)
    if code and known and code not in known:
        raise errors.unknown_language(asked, written, known)
    return code
