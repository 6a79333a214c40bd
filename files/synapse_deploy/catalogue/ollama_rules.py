"""What is known of an Ollama by its image's tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_common.engines import OLDEST_OLLAMA, PENALTIES_SINCE, dotted, ollama_version
from synapse_deploy.catalogue.rules import Found, tag_of

IMAGE = "ollama_image"


def ollama(site: Mapping[str, Any]) -> Found:
    """Ollama is not older than its switches against cutting, as far as its image's tag tells."""
    tag, version = _told(site)
    if version is not None and version < OLDEST_OLLAMA:
        yield (
            (IMAGE,),
            f'"{tag}" is older than Ollama {dotted(OLDEST_OLLAMA)} and would cut long requests '
            "without a word; name a newer image, or take the line out",
        )


def penalties(site: Mapping[str, Any]) -> Found:
    """Ollama tells every model of penalties, as far as its image's tag tells."""
    tag, version = _told(site)
    if version is not None and OLDEST_OLLAMA <= version < PENALTIES_SINCE:
        yield (
            (IMAGE,),
            f'"{tag}" is older than Ollama {dotted(PENALTIES_SINCE)}: most newer models take no '
            "notice of presence_penalty, frequency_penalty and repetition_penalty there "
            "(ollama #15783)",
        )


def _told(site: Mapping[str, Any]) -> tuple[str, tuple[int, int] | None]:
    tag = tag_of(str(site.get(IMAGE, "")))
    return tag, ollama_version(tag)
