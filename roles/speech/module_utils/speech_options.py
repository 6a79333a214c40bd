"""Options of the role that the containers are started with, and what they may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from synapse_common.strict import Count, Positive, Strict, Text


class Options(Strict):
    """What speech-to-text and text-to-speech may take, and how their files are fetched."""

    workers: Count
    cpu_cores: Positive
    memory_gib: Positive
    piper_image: Text
    speaches_image: Text
    keep_alive_s: Count
    offline: bool
    download_limit_s: Count
    wait_s: Count
    reserve_gib: Annotated[float, Field(ge=0)]
