"""Addresses of pages and of people, as one tells them to somebody who writes them down."""

from __future__ import annotations

import re

from synapse_speech.text.languages import Language

PAGE = re.compile(r"(?:(?:https?|ftp)://|\bwww\.)[^\s<>\"“”]+", re.IGNORECASE)
MAIL = re.compile(r"(?<![\w.+-])(?:mailto:)?([\w.+-]+@[\w-]+(?:\.[\w-]+)+)")
HOST = re.compile(
    r"(?<![\w.@/-])(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|dev|de|ch|fr|nl|eu|uk)\b"
    r"(?:/[^\s<>\"“”]*)?(?![\w@-])"
)
SCHEME = re.compile(r"^\w+://(?:[^/@]*@)?", re.IGNORECASE)
REST = re.compile(r"[.,;:!?)\]'\u2019]+$")
"""Belongs to the sentence, not to the address."""


def said(text: str, language: Language) -> str:
    """Return the text with its addresses without what nobody says, such as https and a query."""
    text = PAGE.sub(lambda found: _page(found[0], language), text)
    text = MAIL.sub(lambda found: _spelled(found[1], language), text)
    return HOST.sub(lambda found: _page(found[0], language), text)


def _page(address: str, language: Language) -> str:
    rest = REST.search(address)
    end = rest[0] if rest else ""
    if ")" in end and "(" in address:
        end = end.lstrip(")")
    host = SCHEME.sub("", address[: len(address) - len(end)])
    bare = re.split(r"[?#]", host)[0].rstrip("/")
    shown = re.sub(r"^www\.", "", bare, flags=re.IGNORECASE)
    return _spelled(shown.replace(":", " "), language) + end


def _spelled(address: str, language: Language) -> str:
    """Return the address with its signs as words; espeak-ng leaves some out in some languages."""
    words = language.words
    if words is None:
        return address
    for sign, word in ((".", words.dot), ("/", words.slash), ("@", words.at)):
        address = address.replace(sign, f" {word} ")
    return " ".join(address.split())
