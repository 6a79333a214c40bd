"""The bodies that an OpenAI-compatible server sends, as plain data."""

from __future__ import annotations

from typing import Any

from openai_stub.behaviour import Behaviour

Body = dict[str, Any]

USAGE: Body = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
ENVELOPE: Body = {"id": "stub-1", "created": 1_700_000_000}
SPEECH = b"RIFF\x24\x00\x00\x00WAVEstub"
TRANSCRIPT = "hello from the stub"
WORDS: list[Body] = [
    {"word": f" {word}", "start": start, "end": start + 0.25}
    for word, start in zip(TRANSCRIPT.split(), (0.0, 0.25, 0.5, 0.75), strict=True)
]
DURATION_S = 1.5
SPEECH_FOUND = [{"start": 0, "end": 1500}]
"""Where Speaches hears somebody speak, in ms."""
CRASH = "Internal Server Error"
"""What Speaches answers, as text/plain, to an error that it does not expect."""
VOICES: list[Body] = [
    {"name": name, "model": model, "voice": voice, "speaker": None, "language": language}
    for model in ("piper", "piper-lonely", "of-another-catalogue")
    for name, voice, language in (
        ("alloy", "en_US-lessac-medium", "en-US"),
        ("thorsten", "de_DE-thorsten-medium", "de-DE"),
    )
]
"""What our server over Piper lists."""
TRANSCRIPTS: dict[str, tuple[str, str]] = {
    "text": ("text/plain", TRANSCRIPT),
    "srt": ("text/plain", f"1\n00:00:00,000 --> 00:00:01,000\n{TRANSCRIPT}\n"),
    "vtt": ("text/vtt", f"WEBVTT\n\n00:00.000 --> 00:01.000\n{TRANSCRIPT}\n"),
}
"""Content type and body of the formats that are no JSON."""


def chat(model: str, request: Body, behaviour: Behaviour) -> Body:
    """Return a whole chat answer; a request with tools gets a call of the first one."""
    message: Body = {"role": "assistant", "content": "".join(behaviour.words)}
    reason = behaviour.finish_reason
    if request.get("tools"):
        message = {"role": "assistant", "content": None, "tool_calls": [_tool_call(request)]}
        reason = "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {
        **ENVELOPE,
        "object": "chat.completion",
        "model": model,
        "choices": [choice],
        "usage": USAGE,
    }


def chat_chunks(model: str, request: Body, behaviour: Behaviour) -> list[Body]:
    """Return the events of a streamed chat answer, one per word, then reason and usage."""
    deltas: list[Body] = [{"role": "assistant", "content": word} for word in behaviour.words]
    reason = behaviour.finish_reason
    if request.get("tools"):
        deltas = [{"role": "assistant", "tool_calls": [{**_tool_call(request), "index": 0}]}]
        reason = "tool_calls"
    chunks = [
        _chunk(model, [{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas
    ]
    chunks.append(_chunk(model, [{"index": 0, "delta": {}, "finish_reason": reason}]))
    if (request.get("stream_options") or {}).get("include_usage"):
        chunks.append({**_chunk(model, []), "usage": USAGE})
    return chunks


def completion(model: str, behaviour: Behaviour) -> Body:
    """Return a whole answer of the old completions route."""
    choice = {
        "index": 0,
        "text": "".join(behaviour.words),
        "finish_reason": behaviour.finish_reason,
    }
    return {
        **ENVELOPE,
        "object": "text_completion",
        "model": model,
        "choices": [choice],
        "usage": USAGE,
    }


def completion_chunks(model: str, request: Body, behaviour: Behaviour) -> list[Body]:
    """Return the events of a streamed answer of the old completions route."""
    base = {**ENVELOPE, "object": "text_completion", "model": model}
    words = [*behaviour.words, ""]
    chunks: list[Body] = [
        {**base, "choices": [{"index": 0, "text": word, "finish_reason": None if word else "stop"}]}
        for word in words
    ]
    if (request.get("stream_options") or {}).get("include_usage"):
        chunks.append({**base, "choices": [], "usage": USAGE})
    return chunks


def embeddings(model: str, request: Body) -> Body:
    """Return one three-dimensional vector per input."""
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    data = [
        {"object": "embedding", "index": index, "embedding": [0.1, 0.2, float(len(str(text)))]}
        for index, text in enumerate(inputs)
    ]
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    return {"object": "list", "model": model, "data": data, "usage": usage}


def ranking(model: str, request: Body) -> Body:
    """Return the documents by relevance, as vLLM does: the longer, the better."""
    texts = [str(one) for one in request["documents"]]
    order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
    results = [
        {"index": index, "document": {"text": texts[index]}, "relevance_score": len(texts[index])}
        for index in order[: request.get("top_n") or len(order)]
    ]
    return {"id": "stub-1", "model": model, "usage": {"total_tokens": 5}, "results": results}


def transcript(request: Body) -> Body:
    """Return a transcript as JSON, with word times where they are wanted, as Speaches writes it."""
    if request.get("response_format") != "verbose_json":
        return {"text": TRANSCRIPT}
    segment = {
        "id": 1, "seek": 0, "start": 0.0, "end": 1.0, "text": f" {TRANSCRIPT}", "tokens": [50363],
        "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.2, "no_speech_prob": 0.01,
    }  # fmt: skip
    told = {"text": TRANSCRIPT, "language": "en", "duration": DURATION_S, "segments": [segment]}
    return told | {"words": WORDS if "timestamp_granularities[]" in request else None}


def transcript_events(behaviour: Behaviour) -> list[Body]:
    """Return the events of a streamed transcript, one per word, then the whole text."""
    text = "" if behaviour.forgets_text else "".join(behaviour.words)
    deltas: list[Body] = [
        {"type": "transcript.text.delta", "delta": word} for word in behaviour.words
    ]
    return [*deltas, {"type": "transcript.text.done", "text": text}]


def error(status: int, message: str) -> Body:
    """Return an error in OpenAI's shape."""
    return {"error": {"message": message, "type": "stub_error", "code": status, "param": None}}


def _chunk(model: str, choices: list[Body]) -> Body:
    return {**ENVELOPE, "object": "chat.completion.chunk", "model": model, "choices": choices}


def _tool_call(request: Body) -> Body:
    name = request["tools"][0]["function"]["name"]
    function = {"name": name, "arguments": '{"city": "Berlin"}'}
    return {"id": "call_1", "type": "function", "function": function}
