"""OpenAI's Responses."""

from typing import Any

from vllm_recorder.battery.case import MODEL, Case
from vllm_recorder.battery.chat import NO_THINKING
from vllm_recorder.battery.tools import CALL, PARAMETERS

TOOL = {"type": "function", "name": "get_weather", "description": "w", "parameters": PARAMETERS}
WRITTEN = {"tools": [TOOL], "structured_outputs": {"regex": CALL}, "max_output_tokens": 150}
FORM = {"type": "json_schema", "name": "place", "schema": PARAMETERS, "strict": True}
FORMED = {"text": {"format": FORM}, "max_output_tokens": 120}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}


def response(name: str, **fields: Any) -> Case:
    """Ask for a response; a field that is ... is left out."""
    body = {"model": MODEL, "input": "Hello", "max_output_tokens": 8, "temperature": 0, **fields}
    given = {key: value for key, value in body.items() if value is not ...}
    return Case(f"response: {name}", "POST", "/v1/responses", given)


CASES = [
    response("plain"),
    response("stream", stream=True),
    response("without thinking", **NO_THINKING),
    response("stream, without thinking", stream=True, **NO_THINKING),
    response("tool, written", **WRITTEN, **NO_THINKING),
    response("tool, written, stream", stream=True, **WRITTEN, **NO_THINKING),
    response("JSON by a schema", **FORMED, **NO_THINKING),
    response("JSON by a schema, stream", stream=True, **FORMED, **NO_THINKING),
    response("picture", input=[{"role": "user", "content": [PICTURE]}]),
    response("temperature is text", temperature="hot"),
    response("in the background", background=True, temperature=...),
    response("after another", previous_response_id="resp_nope", temperature=...),
    response("unknown model", model="nope", max_output_tokens=..., temperature=...),
    response("no input", input=..., max_output_tokens=..., temperature=...),
]
