"""Model cards as Speaches reads them: what they must say, and those that keep it from listing.

One card that cannot be read makes it answer every question for its models with an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard

README = "README.md"
ASIDE = f"{README}.unreadable"
LIBRARY = "ctranslate2"
TASK = "automatic-speech-recognition"


class UnreadableCard(Exception):  # noqa: N818  # a reason, no error of ours
    """Speaches cannot read it; the text says why."""


def unfit(card: Path) -> str:
    """Say why Speaches would not list the model of this card; empty: it lists it."""
    try:
        told = _read(card)
    except UnreadableCard as reason:
        return str(reason)
    if LIBRARY not in (told.library_name, *(told.tags or ())):
        named = told.library_name or "none"
        return f"Speaches serves models of library {LIBRARY} alone; its model card names {named}"
    if TASK not in (told.pipeline_tag, *(told.tags or ())):
        return f"its model card does not say that it is for {TASK}"
    return ""


def set_aside(folder: Path) -> Iterator[str]:
    """Rename every card in a cache that cannot be read; yield a sentence for each."""
    for card in sorted(folder.glob(f"models--*/snapshots/*/{README}")):
        try:
            _read(card)
        except UnreadableCard as reason:
            _rename(card)
            name = card.parts[-4].removeprefix("models--").replace("--", "/")
            yield f"{name}: {reason}; Speaches would list no model at all, so it is now {ASIDE}"


def _read(card: Path) -> Any:
    """Return what a card says, where Speaches can take it in."""
    try:
        told = ModelCard.load(card).data
        set(told.tags or ())
        if not isinstance(told.language, str | list | None):
            raise TypeError("its language is neither a name nor a list")
    except Exception as error:
        raise UnreadableCard(f"its model card cannot be read: {_one_line(error)}") from None
    return told


def _rename(card: Path) -> None:
    content, blob = card.read_bytes(), card.resolve()
    card.unlink()
    blob.unlink(missing_ok=True)  # or the next download would take it for the right one
    card.with_name(ASIDE).write_bytes(content)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
