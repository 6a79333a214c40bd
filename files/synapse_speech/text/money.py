"""Money in words, in the order in which they are said."""

from __future__ import annotations

import re

from babel import Locale
from babel.numbers import get_currency_name

from synapse_speech.text.languages import CURRENCIES, Language
from synapse_speech.text.numbers import GAP, MANY, NUMBERS, count

_SIGN = r"(?P<sign>(?<![\w.,])[-\u2212])?"
_SCALES = (
    r"thousand|[mb]illions?|trillions?|Tausend|Million(?:en)?|Milliarden?|mil(?:lion|liard)s?|"
    r"millón|millones|mila|milion[ei]|miliard[oi]|miljoen|miljard|[kKMB]|bn|Mio\.|Mrd\."
)
_SYMBOLS = "|".join(re.escape(symbol) for symbol in sorted(CURRENCIES, key=len, reverse=True))
_SCALED = rf"(?P<number>{NUMBERS})(?:{GAP}(?P<scale>{_SCALES})(?!\w))?"
BEFORE = re.compile(
    rf"{_SIGN}(?<!\w)(?P<symbol>{_SYMBOLS})\s?{_SCALED}(?!\w)(?P<per>/(?=[^\W\d]))?"
)
AFTER = re.compile(
    rf"(?<![\w.,]){_SIGN}{_SCALED}{GAP}(?P<symbol>{_SYMBOLS})(?!\w)(?P<per>/(?=[^\W\d]))?"
)
TWICE = re.compile(rf"([$€£¥₹])({NUMBERS})\s?[-\u2013]\s?\1(?=\d)")
"""A range whose both ends name the currency."""
SHORT = {"k": "thousand", "K": "thousand", "M": "million", "B": "billion", "bn": "billion"}
SHORT_GERMAN = {"Mio.": "Millionen", "Mrd.": "Milliarden"}
CENTS = {"USD": ("cent", "cents"), "EUR": ("cent", "cents"), "GBP": ("penny", "pence")}


def said(text: str, language: Language) -> str:
    """Return the text with every amount of money in words; unchanged in an unknown language."""
    locale = language.locale
    if locale is None:
        return text
    text = TWICE.sub(r"\1\2-", text)
    for pattern in (BEFORE, AFTER):
        text = pattern.sub(lambda found: _money(found, language, locale), text)
    return text


def _money(found: re.Match[str], language: Language, locale: Locale) -> str:
    currency, number = CURRENCIES[found["symbol"]], found["number"]
    sign, scale = "-" if found["sign"] else "", found["scale"] or ""
    if language.code == "en":
        scale = SHORT.get(scale, scale)
    scale = SHORT_GERMAN.get(scale, scale)
    whole, cents = (number, "") if scale else _parts(number)
    name = _name(currency, MANY if scale else count(whole, locale), language, locale)
    slash = found["per"] or ""
    per = f" {language.words.per} " if language.words and slash else slash
    if language.code == "en" and cents and currency in CENTS:
        small = f"{int(cents)} {CENTS[currency][int(cents) != 1]}"
        said = small if whole == "0" else f"{whole} {name} and {small}"
    elif cents and whole != "0":
        said = f"{whole} {name} {int(cents)}"
    else:
        said = " ".join(filter(None, [number if cents else whole, scale, name]))
    return sign + said + per


def _parts(number: str) -> tuple[str, str]:
    """Return the whole units and the hundredths, which are empty if there are none."""
    found = re.fullmatch(r"(.*\d)[.,](\d\d)", number)
    if found is None or "-" in number or "\u2013" in number:
        return number, ""
    return found[1], "" if found[2] == "00" else found[2]


def _name(currency: str, number: float, language: Language, locale: Locale) -> str:
    """Return what people call the currency."""
    if language.words and currency in language.words.money:
        return language.words.money[currency][number != 1]
    return get_currency_name(currency, count=number, locale=locale)
