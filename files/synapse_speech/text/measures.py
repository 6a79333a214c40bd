"""Measures in words, and ranges of numbers."""

from __future__ import annotations

import re

from babel import Locale
from babel.numbers import format_decimal
from babel.units import format_unit

from synapse_speech.text.languages import Language, Words
from synapse_speech.text.numbers import GAP, NUMBERS, count

UNITS = {
    "km/h": "speed-kilometer-per-hour", "m/s": "speed-meter-per-second",
    "kWh": "energy-kilowatt-hour",
    "km²": "area-square-kilometer", "m²": "area-square-meter", "cm²": "area-square-centimeter",
    "m³": "volume-cubic-meter", "cm³": "volume-cubic-centimeter",
    "km": "length-kilometer", "cm": "length-centimeter", "mm": "length-millimeter",
    "m": "length-meter", "kg": "mass-kilogram", "mg": "mass-milligram", "g": "mass-gram",
    "ml": "volume-milliliter", "mL": "volume-milliliter", "l": "volume-liter", "L": "volume-liter",
    "°C": "temperature-celsius", "℃": "temperature-celsius", "°F": "temperature-fahrenheit",
    "℉": "temperature-fahrenheit", "kB": "digital-kilobyte", "KB": "digital-kilobyte",
    "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "GHz": "frequency-gigahertz", "MHz": "frequency-megahertz", "kHz": "frequency-kilohertz",
    "Hz": "frequency-hertz", "kW": "power-kilowatt", "W": "power-watt", "V": "electric-volt",
    "hPa": "pressure-hectopascal", "ms": "duration-millisecond", "min": "duration-minute",
    "h": "duration-hour", "s": "duration-second",
}  # fmt: skip
ENGLISH_UNITS = {
    "mph": "speed-mile-per-hour", "mi": "length-mile", "ft": "length-foot", "lb": "mass-pound",
    "lbs": "mass-pound", "oz": "mass-ounce",
}  # fmt: skip
APART = frozenset({"m", "s"})
"""Units only after a space: 5m may be millions or minutes, and the 80s are years."""
_UNITS = "|".join(map(re.escape, sorted(UNITS | ENGLISH_UNITS, key=len, reverse=True)))
MEASURE = re.compile(
    rf"(?<![\w.,])(?P<number>[-\u2212]?{NUMBERS})(?P<gap>{GAP})(?P<unit>{_UNITS})(?![\w/²³'\u2019])"
)
RANGE = re.compile(
    r"(?<![\w.,/:\u2013-])(\d{1,4})(?:\s?\u2013\s?|-)(\d{1,4})(?![\w/:\u2013-]|[.,]\d)"
)

YEAR = 4
"""Digits: only years have so many in a range."""


def said(text: str, language: Language) -> str:
    """Return the text with every measure in words; unchanged in an unknown language."""
    locale, words = language.locale, language.words
    if locale is None:
        return text
    text = MEASURE.sub(lambda found: _measure(found, language, locale), text)
    return RANGE.sub(lambda found: _range(found, words), text) if words else text


def _measure(found: re.Match[str], language: Language, locale: Locale) -> str:
    unit, number = found["unit"], found["number"].replace("\u2212", "-")
    known = UNITS.get(unit) or (ENGLISH_UNITS.get(unit) if language.code == "en" else None)
    if known is None or (unit in APART and not found["gap"]):
        return found[0]
    many = count(number.lstrip("-"), locale)
    worded = format_unit(many, known, "long", locale=locale)
    return worded.replace(format_decimal(many, locale=locale), number).replace("\u00a0", " ")


def _range(found: re.Match[str], words: Words) -> str:
    first, last = found[1], found[2]
    dash = "\u2013" in found[0]
    # 555-1234 is a telephone number, 5-3 a score: a range with a plain hyphen rises.
    if not dash and (int(first) >= int(last) or (len(first) == YEAR) != (len(last) == YEAR)):
        return found[0]
    return f"{first} {words.to} {last}"
