"""What is said and heard: twenty sentences of a home, and how two writings of one are compared."""

from __future__ import annotations

import re

SENTENCES = (
    "Turn on the lights in the living room.",
    "What is the weather going to be like tomorrow morning?",
    "Set a timer for fifteen minutes, please.",
    "The kettle is boiling in the kitchen.",
    "Remind me to call my sister at half past seven.",
    "Close the blinds in the bedroom when the sun goes down.",
    "How long does it take to bake a potato?",
    "Play some quiet music in the garden.",
    "There are twelve eggs and two bottles of milk in the fridge.",
    "Lower the heating to nineteen degrees.",
    "Did anybody ring the doorbell while I was away?",
    "The washing machine has finished its programme.",
    "Add bread, butter and three apples to the shopping list.",
    "Which train leaves for the city after nine o'clock?",
    "Lock the front door and switch off every light downstairs.",
    "The children come home from school at a quarter to four.",
    "Tell me a short story about a cat and a server.",
    "I would like to know who won the game last night.",
    "Water the plants on the balcony twice a week.",
    "Good night, and wake me up at six thirty.",
)
SPELLINGS = {"programme": "program"}
# fmt: off
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on


def words(text: str) -> list[str]:
    """Return the words of a text: small letters, no punctuation, numbers written out."""
    found = re.findall(r"[a-z']+|\d+", text.lower())
    return [word for one in found for word in _written(SPELLINGS.get(one, one))]


def errors(said: list[str], heard: list[str]) -> int:
    """Count the words that were left out, put in or replaced, as few as possible."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], number
        for place, other in enumerate(heard, start=1):
            least = min(row[place], row[place - 1]) + 1
            diagonal, row[place] = row[place], min(least, diagonal + (word != other))
    return row[-1]


def _written(word: str) -> list[str]:
    if not word.isdecimal() or int(word) > 99:
        return [word]
    number = int(word)
    if number < len(ONES):
        return [ONES[number]]
    tens, one = TENS[number // 10 - 2], number % 10
    return [tens, ONES[one]] if one else [tens]
