"""Roman numerals as numbers: espeak-ng says "roman two" in some languages."""

from __future__ import annotations

import re

from synapse_speech.text.languages import Language

_ROMAN = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

_END = r"(?!\w|['\u2019](?!s\b))"
COUNTED = re.compile(
    r"(?<!\w)(?P<word>World Wars?|Chapter|Part|Act|Scene|Volume|Vol\.|Book|Phase|Type|Section|"
    r"Article|Appendix|Title|Level|Stage|Class|Grade|Super Bowl|Episode|Kapitel|Teil|Band|Akt|"
    r"Weltkrieg|Chapitre|Tome|Partie|Capítulo|Tomo|Parte|Capitolo|Hoofdstuk|Deel) "
    rf"(?P<roman>{_ROMAN}){_END}(?! [a-z]+ed\b)"
)
NAMED = re.compile(rf"(?<!\w)(?P<word>[A-ZÀ-Þ][\w'\u2019.-]+) (?P<roman>[IVX]{{2,7}}){_END}")
LINKED = re.compile(
    r"(?<=\d)(?P<word> (?:and|or|to|und|bis|et|y|e|en)) (?P<roman>[IVX]{2,7})(?!\w)"
)
LISTED = re.compile(r"^(?P<roman>[IVX]{1,7})(?=[.)] )", re.MULTILINE)
CENTURY = re.compile(r"(?<!\w)(?P<word>siglos?|secolo) (?P<roman>[IVX]{1,7})(?!\w)")
ENGLISH_CENTURY = re.compile(r"(?<!\w)(?P<roman>[IVX]{1,7})(?= [Cc]entur)")
SINGLE_AT_AN_END = frozenset({"Part", "Book", "Title", "Level", "Class", "Section"})
"""After these a single letter counts only where the words end: `the Part I like` is none."""
RULERS = frozenset({
    "Alexander", "Alfonso", "Benedict", "Boniface", "Catherine", "Charles", "Christian",
    "Clement", "Edward", "Elizabeth", "Ferdinand", "Francis", "Franz", "Frederick", "Friedrich",
    "George", "Gregory", "Gustav", "Haakon", "Harald", "Heinrich", "Henry", "Innocent",
    "Isabella", "James", "John", "Joseph", "Julius", "Karl", "Leo", "Leopold", "Louis", "Ludwig",
    "Margaret", "Margrethe", "Mary", "Maximilian", "Napoleon", "Nicholas", "Otto", "Paul",
    "Peter", "Philip", "Pius", "Ramesses", "Ramses", "Richard", "Rudolf", "Sixtus", "Stephen",
    "Umberto", "Urban", "Victor", "Wilhelm", "William", "Xerxes", "Darius", "Mehmed", "Murad",
    "Selim", "Thutmose", "Amenhotep", "Cleopatra", "Ptolemy", "Constantine", "Theodosius", "Ivan",
    "Albert", "Willem", "Felipe", "Carlos", "Juan",
})  # fmt: skip

RULED = re.compile(
    rf"(?<!\w)(?P<word>{'|'.join(sorted(RULERS))}) "
    r"(?P<roman>[VX](?![\w'\u2019])|I(?=\s*(?:[.,;:!?)]|$)|['\u2019]s))"
)

GERMAN_ORDINAL = re.compile(
    r"(?<!\w)((?:[Dd](?:er|ie|as|em|en|es)|[Aa]m|[Ii]m|[Vv]om|[Zz]um|[Bb]is|[Aa]b|[Ss]eit) "
    r"\d{1,4}\. |\d{1,2}\. (?=Januar|Februar|März|April|Mai|Juni|Juli|August|September|"
    r"Oktober|November|Dezember))([A-ZÄÖÜ])(?=[a-zäöüß])"
)


def said(text: str, language: Language) -> str:
    """Return the text with its Roman numerals as numbers, of rulers as the eighth."""
    if not language.code:
        return text
    if language.code == "de":
        # Before a capital espeak-ng takes the point for the end of a sentence.
        text = GERMAN_ORDINAL.sub(lambda found: found[1] + found[2].lower(), text)
    text = COUNTED.sub(_counted, text)
    text = NAMED.sub(lambda found: _named(found, language), text)
    if language.code == "en":
        text = RULED.sub(lambda found: _named(found, language), text)
        text = ENGLISH_CENTURY.sub(lambda found: _ordinal(found["roman"]), text)
    for pattern in (CENTURY, LINKED):
        text = pattern.sub(_plain, text)
    return LISTED.sub(lambda found: str(_number(found["roman"]) or found[0]), text)


def _counted(found: re.Match[str]) -> str:
    if len(found["roman"]) == 1 and found["word"] in SINGLE_AT_AN_END:
        after = found.string[found.end() :].lstrip()
        if after and after[0].isalnum():
            return found[0]
    return _plain(found)


def _named(found: re.Match[str], language: Language) -> str:
    if language.code == "en" and found["word"] in RULERS:
        return f"{found['word']} the {_ordinal(found['roman'])}"
    return _plain(found)


def _plain(found: re.Match[str]) -> str:
    number = _number(found["roman"])
    return found[0] if number is None else f"{found['word']} {number}"


def _ordinal(roman: str) -> str:
    """Return the numeral as in 8th, or as it is if it is none."""
    number = _number(roman)
    if number is None:
        return roman
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def _number(roman: str) -> int | None:
    """Return the value of a well-formed numeral."""
    if not re.fullmatch(_ROMAN, roman):
        return None
    values = [VALUES[letter] for letter in roman]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)
