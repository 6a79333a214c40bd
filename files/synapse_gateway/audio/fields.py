"""The fields beside a recording: checked, then written once and alike for every transcriber.

Speaches answers some wrong values with status 500, and of a field that is repeated it takes the
last one.
"""

from __future__ import annotations

import re

from synapse_gateway import errors
from synapse_gateway.config import Model

Fields = tuple[tuple[str, str], ...]

FORMAT, VERBOSE = "response_format", "verbose_json"
FORMATS = ("json", "text", "srt", "vtt", VERBOSE)
TIMES = "timestamp_granularities[]"
GRANULARITIES = ("word", "segment")
HOTTEST = 1.0


def checked(fields: Fields, asked: str, model: Model) -> Fields:
    """Return the fields as an engine shall see them; refuse values that none understands."""
    # An empty field is how forms leave something out; of a repeated one the first counts.
    first = dict(reversed([(name, value) for name, value in fields if value]))
    times = [value for value in GRANULARITIES if (TIMES, value) in fields]
    for name, value in fields:
        if name == TIMES and value not in ("", *GRANULARITIES):
            raise errors.malformed(f"'{TIMES}' must be {' or '.join(GRANULARITIES)}.", TIMES)
    if first.get(FORMAT, "json") not in FORMATS:
        raise errors.malformed(f"'{FORMAT}' must be one of {', '.join(FORMATS)}.", FORMAT)
    if "word" in times and first.get(FORMAT) != VERBOSE:
        raise errors.malformed(f"Times of words are told in {FORMAT} {VERBOSE} only.", TIMES)
    _check_temperature(first.get("temperature", "0"))
    if "stream" in first:
        first["stream"] = _truth(first["stream"])
    if "language" in first and model.languages:
        first["language"] = _language(first["language"], asked, model.languages)
    single = [(name, value) for name, value in first.items() if name not in ("model", TIMES)]
    return (*single, *((TIMES, value) for value in times))


def _check_temperature(written: str) -> None:
    try:
        fits = 0 <= float(written) <= HOTTEST
    except ValueError:
        fits = False
    if not fits:
        message = f"'temperature' must be a number from 0 to {HOTTEST:g}."
        raise errors.malformed(message, "temperature")


def _truth(written: str) -> str:
    if written.lower() not in ("true", "false"):
        raise errors.malformed("'stream' must be true or false.", "stream")
    return written.lower()


def _language(written: str, asked: str, known: tuple[str, ...]) -> str:
    """Return the code of a language, also of one that is written with its country, as en-US."""
    code = re.split("[-_]", written.strip().lower())[0]
    if code not in known:
        raise errors.unknown_language(asked, written, known)
    return code
