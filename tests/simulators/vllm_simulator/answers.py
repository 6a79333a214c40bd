"""What a simulated model says: the same words for the same question, without a model."""

import random

_TEXT = """
a about above after air all also and any as at be below between bring by can card come day each
engine every few find first for from full give good great half hand has have here hour how in is
it keep kind large last light line little long make many memory model more most near new next no
not now of on one open or other over own part place point quiet right same see set short side
small so some still such take than that the then there thing this time to true two under up use
wake warm way well when while wide with word work year
"""
_WORDS = _TEXT.split()

GARBAGE = "!"
VECTOR_SIZE = 32


def tokens(model: str, seed: int, prompt: str, count: int) -> list[str]:
    """Choose `count` words that depend on nothing but the arguments."""
    # A string seed is hashed by random itself, so it is the same in every process.
    words = random.Random(f"{seed}\0{model}\0{prompt}").choices(_WORDS, k=count)
    return [word if place == 0 else f" {word}" for place, word in enumerate(words)]


def vector(model: str, seed: int, text: str) -> list[float]:
    """Make a unit vector that depends on nothing but the arguments."""
    dice = random.Random(f"{seed}\0{model}\0{text}\0embedding")
    raw = [dice.gauss(0, 1) for _ in range(VECTOR_SIZE)]
    length = sum(x * x for x in raw) ** 0.5
    return [x / length for x in raw]


def cosine(model: str, seed: int, one: str, other: str) -> float:
    """Say how alike the vectors of two texts are."""
    pairs = zip(vector(model, seed, one), vector(model, seed, other), strict=True)
    return sum(x * y for x, y in pairs)


def count_tokens(text: str) -> int:
    """Count words: near enough to tokens for a simulator."""
    return max(1, len(text.split()))


def token_id(token: str) -> int:
    """Number a word, the same in every process."""
    return sum(token.encode()) % 2000


def logprob(token: str) -> float:
    """Say how likely a word was: a made-up number, the same for the same word."""
    return -0.5 - token_id(token) / 4000


def token_ids(text: str) -> list[int]:
    """Number the words of a text."""
    return [token_id(word) for word in text.split()]


def likeness(model: str, seed: int, query: str, text: str) -> float:
    """Score how well a text fits a query, from 0 to 1, by nothing but the arguments."""
    return random.Random(f"{seed}\0{model}\0{query}\0{text}\0score").random()
