"""Turns what a client wrote into what a person would say who reads it to somebody."""

from __future__ import annotations

import emoji

from synapse_speech.text import addresses, markup, measures, money, numerals, tags
from synapse_speech.text.languages import Language

KEYCAP = "\ufe0f\u20e3"
"""What makes a key of a digit: the digit stays."""
SIGNS = "©®™"
"""Emoji for Unicode, but letters for who writes them."""


def speakable(text: str, language: str) -> str:
    """Return the text without markup, its amounts and numerals as words or numbers.

    The language, as in en-US, decides the words. In a language that is not known amounts stay as
    they are: espeak-ng reads numbers in every one of its own.
    """
    plain = markup.plain(tags.without(_without_emoji(text)))
    tongue = Language.of(language)
    for said in (addresses.said, money.said, measures.said, numerals.said):
        plain = said(plain, tongue)
    return plain


def _without_emoji(text: str) -> str:
    digits = text.replace(KEYCAP, "")
    return emoji.replace_emoji(digits, lambda sign, _: sign if sign in SIGNS else " ")
