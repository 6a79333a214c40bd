"""The items of a response: thinking, then text."""

import uuid
from collections.abc import Sequence
from typing import Any

from vllm_simulator.generation import Channel, Piece


def items(said: Sequence[Piece], *, status: str | None) -> list[dict[str, Any]]:
    """Build the items of a whole answer; `status` is that of the thinking."""
    thought = "".join(piece.text for piece in said if piece.channel is Channel.REASONING)
    text = "".join(piece.text for piece in said if piece.channel is Channel.TEXT)
    found = []
    if thought:
        found.append(reasoning(thought, new_item_id(Channel.REASONING), status))
    if text:
        found.append(message(text, new_item_id(Channel.TEXT), "completed"))
    return found


def new_item_id(channel: Channel, *, named: bool = True) -> str:
    """Name an item after what it is."""
    prefix = "rs_" if channel is Channel.REASONING else "msg_"
    return f"{prefix if named else ''}{uuid.uuid4().hex[:16]}"


def reasoning(text: str | None, item_id: str, status: str | None) -> dict[str, Any]:
    """Build an item of thinking; one that begins has no content yet."""
    return {
        "id": item_id,
        "summary": [],
        "type": "reasoning",
        "content": None if text is None else [part(Channel.REASONING, text)],
        "encrypted_content": None,
        "status": status,
    }


def message(text: str | None, item_id: str, status: str | None) -> dict[str, Any]:
    """Build an item of text; one that begins has no content yet."""
    return {
        "id": item_id,
        "content": [] if text is None else [part(Channel.TEXT, text)],
        "role": "assistant",
        "status": status,
        "type": "message",
        "phase": None,
    }


def part(channel: Channel, text: str, *, logprobs: list[Any] | None = None) -> dict[str, Any]:
    """Build the content of an item."""
    if channel is Channel.REASONING:
        return {"text": text, "type": "reasoning_text"}
    return {"annotations": [], "text": text, "type": "output_text", "logprobs": logprobs}
