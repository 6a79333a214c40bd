"""Anthropic's Messages."""

from typing import Any

from vllm_recorder.battery.case import HELLO, MODEL, STOPS, TOO_LONG, Case
from vllm_recorder.battery.chat import NO_THINKING
from vllm_recorder.battery.tools import PARAMETERS

PATH = "/v1/messages"
TOOL = {"name": "get_weather", "description": "w", "input_schema": PARAMETERS}
DATA = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PICTURE = {"role": "user", "content": [{"type": "image", "source": DATA}]}
WANTS_TOOL = {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "get_weather"}}


def message(name: str, **fields: Any) -> Case:
    """Ask for a message; a field that is ... is left out."""
    return _case(name, PATH, fields)


def _case(name: str, path: str, fields: dict[str, Any]) -> Case:
    body = {"model": MODEL, "max_tokens": 8, "messages": HELLO, **fields}
    given = {key: value for key, value in body.items() if value is not ...}
    return Case(f"message: {name}", "POST", path, given)


CASES = [
    message("plain"),
    message("stream", stream=True),
    message("without thinking", **NO_THINKING),
    message("stream, without thinking", stream=True, **NO_THINKING),
    message("tool", max_tokens=120, **WANTS_TOOL, **NO_THINKING),
    message("tool, stream", max_tokens=120, stream=True, **WANTS_TOOL, **NO_THINKING),
    _case("count of tokens", f"{PATH}/count_tokens", {"max_tokens": ...}),
    message("unknown model", model="nope"),
    message("picture", messages=[PICTURE]),
    message("temperature is text", temperature="hot"),
    message("no max_tokens", max_tokens=...),
    message("five stops", stop_sequences=STOPS),
    message("too long", messages=[{**HELLO[0], "content": TOO_LONG}]),
]
