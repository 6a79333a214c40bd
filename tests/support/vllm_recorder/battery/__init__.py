"""All requests, in the order in which they are made: one table for recorder and contract."""

from vllm_recorder.battery import (
    chat,
    completions,
    control,
    cut,
    messages,
    pooling,
    refused_chat,
    responses,
    streams,
    surface,
    tools,
)
from vllm_recorder.battery.case import Case, Interruption, Kind

_WRITING = [chat, refused_chat, streams, tools, completions, responses, messages]


def battery(kind: Kind) -> list[Case]:
    """Return the requests for an engine of this kind; every name is there once."""
    writing = [case for module in _WRITING for case in module.CASES] if kind == "generate" else []
    return [*surface.cases(kind), *writing, *pooling.cases(kind), *control.CASES, *cut.cases(kind)]


__all__ = ["Case", "Interruption", "Kind", "battery"]
