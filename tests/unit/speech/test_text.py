"""Texts become what a person would read out, and plain texts stay as they are."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from synapse_speech.text import speakable
from synapse_speech.text.measures import ENGLISH_UNITS, UNITS

ENGLISH = {
    "## List **Milk**": "List Milk",
    "# Shopping\n\n- Milk\n- [x] **two** eggs\n\nDone": "Shopping.\nMilk.\ntwo eggs.\nDone",
    "1. Milk\n2. Eggs!\n3. Bread": "1. Milk.\n2. Eggs!\n3. Bread",
    "*Very* _good_ ~~bad~~ ***best***": "Very good bad best",
    "super**cali**fragil": "supercalifragil",
    "**Half of it. ": "Half of it.",
    "bold** text": "bold text",
    "[the page](https://example.com/a) and ![a cat](cat.png)": "the page and a cat",
    "Text[^1].": "Text.",
    "| Name | Age |\n|---|---|\n| Ann | 7 |": "Name, Age.\nAnn, 7",
    "> Said\n\n---\n\nTitle\n=====": "Said.\nTitle",
    "Run `ls -l` now": "Run ls -l now",
    "```python\nprint('x')\n```\nDone": "print('x').\nDone",
    "Milk\nEggs\nBread": "Milk.\nEggs.\nBread",
    "milk\neggs": "milk,\neggs",
    "A line that went on until it was full, as in a mail\nwith an end.":
        "A line that went on until it was full, as in a mail with an end.",
    "Is it?\nYes": "Is it?\nYes",
    "Great 🎉 job 👨‍👩‍👧": "Great job",
    "1️⃣ First": "1 First",
    "Settings → Network": "Settings, Network",
    "<b>bold</b> and x < 5 and y > 3": "bold and x < 5 and y > 3",
    '<speak>Hello <break time="1s"/> <prosody rate="slow">w</prosody>orld</speak>': "Hello.\nworld",
    "<p>One</p><p>Two<br>three</p><!-- no --><script>x()</script>": "One.\nTwo.\nthree",
    "<think>Hm</think>Hello": "Hm Hello",
    "Say `<b>`": "Say <b>",
    "AT&amp;T": "AT&T",
    "$500": "500 dollars",
    "It cost $1.": "It cost 1 dollar.",
    "$1,234.50, -$5, $0.99": "1,234 dollars and 50 cents, -5 dollars, 99 cents",
    "$5 million or $5M": "5 million dollars or 5 million dollars",
    "$10-20/month": "10 to 20 dollars per month",
    "$5-$10, $5 - $10": "5 to 10 dollars, 5 to 10 dollars",
    "£3.01, €20, 20 €, ¥500": "3 pounds and 1 penny, 20 euros, 20 euros, 500 yen",
    "CHF 20": "20 Swiss francs",
    "50% of 2.5 %": "50% of 2.5 %",
    "-5 °C, 20°C": "-5 degrees Celsius, 20 degrees Celsius",
    "1 km, 10 km/h, 16GB, 5 ft": "1 kilometer, 10 kilometers per hour, 16 gigabytes, 5 feet",
    "3-5 days, 3\u20135 days": "3 to 5 days, 3 to 5 days",
    "World War II": "World War 2",
    "World War I was long": "World War 1 was long",
    "Henry VIII and Elizabeth II.": "Henry the 8th and Elizabeth the 2nd.",
    "Chapter IV, Rocky III, Type II": "Chapter 4, Rocky 3, Type 2",
    "II. Method": "2. Method",
    "World War II's end": "World War 2's end",
    "World Wars I and II": "World Wars 1 and 2",
    "Type I diabetes, Part I.": "Type 1 diabetes, Part 1.",
    "Elizabeth I's reign, Charles V was": "Elizabeth the 1st's reign, Charles the 5th was",
    "the XIX century": "the 19th century",
    "C$5": "5 Canadian dollars",
    "See https://www.example.com/path?x=1.": "See example dot com slash path.",
    "(http://localhost:8000/)": "(localhost 8000)",
    "<https://example.com> info@example.com": "example dot com info at example dot com",
}  # fmt: skip
UNTOUCHED = (
    "5 * 3", "5*3*2", "2**3**2", "a*b*c", "a_b_c", "snake_case_name", "C#", "3. August", "I'm I",
    "don't", "AT&T", "R&D", "a<b and c>d", "List<String>", "Dear <name>,", "C:\\new", "$HOME",
    "[note]: something", "f[a](b)", "5 > 3", "-5", "+3", "#1", "~5", "Malcolm X", "the Part I like",
    "an IV drip", "CD player, size XL", "555-1234", "2026-11-30", "5-3", "v1.2.3", "192.168.1.1",
    "the 80s", "5m", "5G", "10:30 pm", "x = 5; y = 6", "    four spaces", "e.g. this",
    "© Acme®", "She said “yes” \u2013 no.",
)  # fmt: skip
OTHERS = [
    ("de-DE", "$500", "500 Dollar"),
    ("de-DE", "3,50 € und 0,99 €", "3 Euro 50 und 0,99 Euro"),
    ("de-DE", "5 Mio. €", "5 Millionen Euro"),
    ("de-DE", "10 km/h bei 20 °C", "10 Kilometer pro Stunde bei 20 Grad Celsius"),
    ("de-DE", "3\u20135 Tage", "3 bis 5 Tage"),
    ("de-DE", "am 3. August", "am 3. august"),
    ("de-DE", "Ludwig XIV. von", "Ludwig 14. von"),
    ("de-DE", "https://example.com/a", "example Punkt com Schrägstrich a"),
    ("es-ES", "$1 en el siglo XXI", "1 dólar en el siglo 21"),
    ("fr-FR", "5 km, 20 €", "5 kilomètres, 20 euros"),
    ("pl-PL", "5 km", "5 kilometrów"),
    ("en-us", "$5", "5 dollars"),
    ("xx-XX", "**$500** in World War II, 5 km", "$500 in World War II, 5 km"),
]


@pytest.mark.parametrize(("written", "said"), ENGLISH.items())
def test_english(written: str, said: str) -> None:
    assert speakable(written, "en-US") == said


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_no_markup_stays(text: str) -> None:
    assert speakable(text, "en-US") == text.strip()


@pytest.mark.parametrize(("language", "written", "said"), OTHERS)
def test_the_voices_language_decides_the_words(language: str, written: str, said: str) -> None:
    assert speakable(written, language) == said


WORDS = some.lists(
    some.one_of(
        some.text(string.ascii_lowercase + "äöüßéñçж漢", min_size=1, max_size=8).filter(
            lambda word: word not in UNITS | ENGLISH_UNITS
        ),
        some.integers(0, 9999).map(str),
        some.sampled_from(
            ["don't", "a_b", "C#", "x,", "so;", "(yes)", "5 * 3", "1 + 1 = 2", "A-B"]
        ),
    ),
    min_size=1,
)


@given(WORDS, some.sampled_from([" ", "  ", " \t"]), some.sampled_from(["en-US", "de-DE", "xx"]))
def test_text_without_markup_is_unchanged_up_to_its_spaces(
    words: list[str], gap: str, language: str
) -> None:
    assert speakable(gap.join(words), language).split() == " ".join(words).split()


@given(some.text(max_size=200), some.sampled_from(["en-US", "de-DE", "xx"]))
def test_any_text_can_be_read(text: str, language: str) -> None:
    assert isinstance(speakable(text, language), str)


@pytest.mark.parametrize(
    "piece",
    ["<", "*", "[[", "`", "![", "<!--", "<script>", "<?", "$1", "1-", "a@", "IV ", "|a", "😀"],
)
def test_a_long_text_of_signs_takes_no_time(piece: str) -> None:
    began_s = time.process_time()
    speakable(piece * (20_000 // len(piece)), "en-US")
    assert time.process_time() - began_s < 5
