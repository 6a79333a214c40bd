"""Chat as a stream."""

from typing import Any

from vllm_recorder.battery.case import Case, hello
from vllm_recorder.battery.chat import NO_THINKING, chat

USAGE = {"include_usage": True}


def stream(name: str, **fields: Any) -> Case:
    """Ask for a stream of chat."""
    return chat(f"stream, {name}", hello(**{"stream": True, **fields}))


CASES = [
    stream("plain"),
    stream("without thinking", **NO_THINKING),
    stream("stream as text", stream="true"),
    stream("stream as a number", stream=1),
    stream("usage", stream_options=USAGE),
    stream("usage, without thinking", stream_options=USAGE, **NO_THINKING),
    stream(
        "usage in every event",
        max_tokens=3,
        stream_options={**USAGE, "continuous_usage_stats": True},
    ),
    stream("two choices", n=2, max_tokens=3, temperature=1),
    stream("logprobs", logprobs=True, top_logprobs=2, max_tokens=2),
    stream("token ids", return_token_ids=True, max_tokens=2),
    stream("forced text", structured_outputs={"regex": "<think>abc</think>xyz"}, max_tokens=50),
]
