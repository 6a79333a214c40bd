"""The judge of answers must tell a whole one from every kind of broken one."""

import pytest

from judging import judge

WHOLE = b'{"choices": [{"finish_reason": "stop", "message": {"content": "hi"}}]}'
PIECE = b'data: {"choices": [{"delta": {"content": "hi"}, "finish_reason": null}]}\n\n'
LAST = b'data: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n'
USAGE = b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error": {"message": "the engine went away"}}\n\n'


@pytest.mark.parametrize(
    ("status", "body", "stream", "outcome"),
    [
        (200, WHOLE, False, "answered"),
        (200, WHOLE.replace(b"stop", b"abort"), False, "truncated"),
        (200, WHOLE[:-20], False, "truncated"),
        (503, b'{"error": {"message": "busy", "code": "gpu_released"}}', False, "error"),
        (502, b"", False, "lost"),
        (200, PIECE + LAST + USAGE + DONE, True, "answered"),
        (200, b": ping\n\n" + PIECE + LAST + DONE, True, "answered"),
        (200, PIECE + LAST, True, "truncated"),
        (200, PIECE + DONE, True, "truncated"),
        (200, PIECE + LAST.replace(b"length", b"abort") + DONE, True, "truncated"),
        (200, PIECE + ERROR, True, "error"),
        (200, b"", True, "truncated"),
    ],
)
def test_every_end_is_told_apart(status: int, body: bytes, stream: bool, outcome: str) -> None:
    assert judge(status, body, stream) == outcome
