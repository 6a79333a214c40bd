"""The items of a response: thinking, then text or a call."""

import uuid
from collections.abc import Sequence
from typing import Any

from vllm_simulator import calling
from vllm_simulator.dialects.chat_parts import call_id
from vllm_simulator.generation import Channel, Generation, Piece

_PREFIXES = {Channel.REASONING: "rs_", Channel.TEXT: "msg_", Channel.CALL: "fc_"}


def items(wanted: Generation, said: Sequence[Piece], *, complete: bool) -> list[dict[str, Any]]:
    """Build the items of a whole answer; only that of text says whether it is complete."""
    thought = "".join(piece.text for piece in said if piece.channel is Channel.REASONING)
    text = "".join(piece.text for piece in said if piece.channel is Channel.TEXT)
    found = []
    if thought:
        found.append(reasoning(thought, new_item_id(Channel.REASONING), None))
    if text:
        status = "completed" if complete else "incomplete"
        found.append(message(text, new_item_id(Channel.TEXT), status))
    if wanted.call is not None and any(piece.channel is Channel.CALL for piece in said):
        arguments = "".join(piece.text for piece in said if piece.channel is Channel.CALL)
        status = "completed" if complete else "incomplete"
        item_id = new_item_id(Channel.CALL)
        found.append(function_call(wanted.call, arguments, item_id, call_id(), status))
    return found


def new_item_id(channel: Channel, *, named: bool = True) -> str:
    """Name an item after what it is."""
    return f"{_PREFIXES[channel] if named else ''}{uuid.uuid4().hex[:16]}"


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


def function_call(
    call: calling.Call, arguments: str, item_id: str, named: str, status: str
) -> dict[str, Any]:
    """Build an item that calls a tool; one that begins has no arguments yet."""
    return {
        "arguments": arguments,
        "call_id": named,
        "name": call.name,
        "type": "function_call",
        "id": item_id,
        "async": None,
        "caller": None,
        "namespace": None,
        "status": status,
    }


def part(channel: Channel, text: str, *, logprobs: list[Any] | None = None) -> dict[str, Any]:
    """Build the content of an item."""
    if channel is Channel.REASONING:
        return {"text": text, "type": "reasoning_text"}
    return {"annotations": [], "text": text, "type": "output_text", "logprobs": logprobs}
