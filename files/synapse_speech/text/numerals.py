"""Roman numerals as numbers: espeak-ng says "roman two" in some languages."""

from __future__ import annotations

import re

from synapse_speech.text.languages import Language

_ROMAN = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

COUNTED = re.compile(
    r"(?<!\w)(?P<word>World War|War|Chapter|Part|Act|Scene|Volume|Vol\.|Book|Phase|Type|Section|"
    r"Article|Appendix|Title|Level|Stage|Class|Grade|Super Bowl|Episode|Kapitel|Teil|Band|Akt|"
    r"Weltkrieg|Chapitre|Tome|Partie|Capítulo|Tomo|Parte|Capitolo|Hoofdstuk|Deel) "
    rf"(?P<roman>{_ROMAN})(?P<end>(?!\w)(?! [a-z]+ed\b)(?!['\u2019]))"
)
NAMED = re.compile(r"(?<!\w)(?P<word>[A-ZÀ-Þ][\w'\u2019.-]+) (?P<roman>[IVX]{2,7})(?![\w'\u2019])")
LISTED = re.compile(r"^(?P<roman>[IVX]{1,7})(?=[.)] )", re.MULTILINE)
CENTURY = re.compile(r"(?<!\w)(?P<word>siglos?|secolo) (?P<roman>[IVX]{1,7})(?!\w)")
SINGLE_AFTER = ("World War",)
"""After others a single letter counts only where the words end: `the Part I like` is none."""
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
    r"(?P<roman>[VX](?![\w'\u2019])|I(?=\s*(?:[.,;:!?)]|$)))"
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
    text = CENTURY.sub(lambda found: f"{found['word']} {_number(found['roman'])}", text)
    return LISTED.sub(lambda found: str(_number(found["roman"]) or found[0]), text)


def _counted(found: re.Match[str]) -> str:
    ends = re.match(r"\s*(?:[.,;:!?)\-\u2013\u2014]|$)", found.string[found.end() :])
    if len(found["roman"]) == 1 and found["word"] not in SINGLE_AFTER and not ends:
        return found[0]
    return f"{found['word']} {_number(found['roman'])}"


def _named(found: re.Match[str], language: Language) -> str:
    number = _number(found["roman"])
    if number is None:
        return found[0]
    if language.code == "en" and found["word"] in RULERS:
        return f"{found['word']} the {number}{_ending(number)}"
    return f"{found['word']} {number}"


def _number(roman: str) -> int | None:
    """Return the value of a well-formed numeral."""
    if not re.fullmatch(_ROMAN, roman):
        return None
    values = [VALUES[letter] for letter in roman]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)


def _ending(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
