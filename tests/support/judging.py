"""What the end of a request is worth to the client that made it."""

import json


def judge(status: int, body: bytes, stream: bool) -> str:
    """Say whether an answer is whole (`answered`), an explicit `error`, `truncated` or `lost`."""
    if status != 200 or b'\ndata: {"error"' in b"\n" + body:
        return "error" if b'"message"' in body else "lost"
    if stream:
        return "answered" if _whole_stream(body) else "truncated"
    try:
        reason = json.loads(body)["choices"][0]["finish_reason"]
    except (ValueError, KeyError):
        return "truncated"
    return "answered" if reason in ("stop", "length") else "truncated"


def _whole_stream(body: bytes) -> bool:
    events = [line[6:] for line in body.splitlines() if line.startswith(b"data: ")]
    if not events or events[-1] != b"[DONE]":
        return False
    choices = [choice for event in events[:-1] for choice in json.loads(event)["choices"]]
    reasons = [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]
    return reasons in (["stop"], ["length"])
