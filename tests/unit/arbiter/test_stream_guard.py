"""The end of an answer: what counts as whole, aborted or cut short, however it is split."""

import pytest

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.web.request import DONE, RESPONSE
from synapse_arbiter.web.stream_guard import StreamEnd, is_aborted

TOKEN = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":null}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
ABORT = b'data: {"choices":[{"delta":{},"finish_reason":"abort"}]}\n\n'
END = b"data: [DONE]\n\n"


def pass_on(parts: list[bytes], markers: tuple[bytes, ...] = DONE) -> tuple[bytes, str]:
    """Return what went out and how it ended."""
    ending, out = StreamEnd(markers), b""
    try:
        for part in parts:
            out += ending.feed(part)
        return out + ending.finish(), "whole"
    except RefusedError as refused:
        return out, refused.code


@pytest.mark.parametrize(
    ("stream", "markers", "ended"),
    [
        (TOKEN + STOP + END, DONE, "whole"),
        (TOKEN + STOP + END.replace(b"\n", b"\r\n"), DONE, "whole"),
        (TOKEN + STOP, DONE, "answer_truncated"),
        (b"", DONE, "answer_truncated"),
        (TOKEN + b'data: {"text":"data: [DONE]"}\n\n', DONE, "answer_truncated"),
        (
            b"event: response.created\ndata: {}\n\nevent: response.completed\ndata: {}\n\n",
            RESPONSE,
            "whole",
        ),
        (b"event: response.created\ndata: {}\n\n", RESPONSE, "answer_truncated"),
        (b"bytes that are no events", (), "whole"),
    ],
    ids=[
        "whole",
        "crlf",
        "no-done",
        "empty",
        "done-in-a-text",
        "response",
        "response-cut",
        "anything",
    ],
)
def test_a_stream_is_passed_on_unchanged_however_it_is_split(
    stream: bytes, markers: tuple[bytes, ...], ended: str
) -> None:
    for size in (1, 3, 7, 50, 10_000):
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        out, how = pass_on(parts, markers)
        assert how == ended
        assert stream.startswith(out)
        if ended == "whole":
            assert out == stream


def test_an_aborted_stream_never_shows_the_abort_and_stops_between_events() -> None:
    stream = TOKEN + TOKEN + ABORT + END
    for size in (1, 3, 50, 10_000):
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        out, how = pass_on(parts)
        assert how == "engine_aborted"
        assert out in (TOKEN + TOKEN, TOKEN, b"")


def test_an_abort_in_the_last_bytes_without_an_end_is_seen_too() -> None:
    assert pass_on([TOKEN, ABORT.rstrip()])[1] == "engine_aborted"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"choices":[{"finish_reason":"abort"}]}', True),
        (b'{"choices":[{"finish_reason": "abort"}]}', True),
        (b'{"stop_reason" : "abort"}', True),
        (b'{"choices":[{"finish_reason":"stop"}]}', False),
        (b'{"content":"say \\"finish_reason\\":\\"abort\\" please"}', False),
        (b'{"tool":"abort"}', False),
    ],
    ids=["compact", "spaced", "messages", "stop", "in-a-text", "another-field"],
)
def test_only_the_field_itself_says_aborted(payload: bytes, expected: bool) -> None:
    assert is_aborted(payload) is expected
