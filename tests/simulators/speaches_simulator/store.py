"""Which models there are: those with a card in Hugging Face's cache, read anew each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import HTTPException
from huggingface_hub import CachedRepoInfo, ModelCard, ModelCardData, scan_cache_dir
from huggingface_hub.errors import CacheNotFound

LIBRARY, TASK = "ctranslate2", "automatic-speech-recognition"


def listed() -> list[dict[str, Any]]:
    """Return the models that can be served; a card that cannot be read fails the whole list."""
    found = [(repository, _card(repository)) for repository in _repositories()]
    return [_entry(repository, card) for repository, card in found if card and _hears(card)]


def demand(name: str) -> None:
    """Refuse a model that is not there, has no card or is of another kind."""
    repository = next((one for one in _repositories() if one.repo_id == name), None)
    if repository is None:
        raise HTTPException(404, f"Model '{name}' is not installed locally.")
    card = _card(repository)
    if card is None:
        raise HTTPException(500, "The model repository does not contain a valid model card.")
    if not _hears(card):
        raise HTTPException(404, f"Model '{name}' is not supported.")


def _repositories() -> Iterator[CachedRepoInfo]:
    try:
        found = scan_cache_dir().repos
    except CacheNotFound:
        return
    yield from sorted((one for one in found if one.repo_type == "model"), key=lambda o: o.repo_id)


def _card(repository: CachedRepoInfo) -> ModelCardData | None:
    revisions = list(repository.revisions)
    main = [one for one in revisions if "main" in one.refs]
    for file in (main or revisions)[0].files:
        if file.file_name == "README.md":
            card = ModelCard.load(file.file_path, repo_type="model")
            assert isinstance(card.data, ModelCardData)
            return card.data
    return None


def _hears(card: ModelCardData) -> bool:
    tags = set(card.tags or [])
    library = card.library_name == LIBRARY or LIBRARY in tags
    return library and (card.pipeline_tag == TASK or TASK in tags)


def _entry(repository: CachedRepoInfo, card: ModelCardData) -> dict[str, Any]:
    languages = [card.language] if isinstance(card.language, str) else card.language or []
    return {
        "id": repository.repo_id,
        "created": int(repository.last_modified),
        "object": "model",
        "owned_by": repository.repo_id.partition("/")[0],
        # In YAML Norway's `no` is a truth value.
        "language": [language for language in languages if isinstance(language, str)],
        "task": TASK,
    }
