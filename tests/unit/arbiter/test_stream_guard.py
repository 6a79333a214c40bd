"""What of a stream goes out: whole events, unchanged, however it is split, and none too many."""

import orjson
import pytest

from harness.vllm_answers import (
    ABORT,
    COMPLETED,
    CREATED,
    DELTA,
    DONE,
    LENGTH,
    OWN_ERROR,
    ROLE,
    STOP,
    WORD,
)
from synapse_common.answers.judges import Choices, CutShort, Judge, Responses
from synapse_common.answers.stream_guard import StreamGuard

SIZES = (1, 3, 7, 50, 10_000)


def pass_on(stream: bytes, size: int, judge: Judge) -> tuple[bytes, str]:
    """Return what went out of a stream that comes in such pieces, and how it ended."""
    guard, out = StreamGuard(judge), b""
    for at in range(0, len(stream), size):
        out += guard.feed(stream[at : at + size])
        if guard.cut is not None:
            return out, guard.cut.code
    try:
        return out + guard.finish(), "whole"
    except CutShort as cut:
        return out, cut.code


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "stream",
    [
        ROLE + WORD + STOP + DONE,
        (ROLE + WORD + STOP + DONE).replace(b"\n", b"\r\n"),
        (ROLE + STOP + DONE).replace(b"data: ", b"data:"),
        b": a comment\n\nid: 7\n" + ROLE + STOP + DONE,
        STOP.replace(b',"choices"', b',\ndata: "choices"') + DONE,
        STOP + DONE.rstrip(),
    ],
    ids=["plain", "crlf", "no-space", "comment", "two-lines", "no-last-line"],
)
def test_a_whole_stream_is_passed_on_unchanged_however_it_is_split(
    stream: bytes, size: int
) -> None:
    assert pass_on(stream, size, Choices(1)) == (stream, "whole")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("sound", "rest", "ended"),
    [
        (ROLE + WORD, ABORT + DONE, "engine_aborted"),
        (ROLE + WORD, DONE, "answer_truncated"),
        (ROLE + WORD + STOP, b"", "answer_truncated"),
        (ROLE + WORD, STOP[:30], "answer_truncated"),
        (ROLE, ABORT.rstrip(), "engine_aborted"),
        (b"", b"", "answer_truncated"),
    ],
    ids=["aborted", "no-reason", "no-done", "half-an-event", "no-last-line", "empty"],
)
def test_a_cut_stream_goes_out_up_to_its_last_sound_event(
    sound: bytes, rest: bytes, ended: str, size: int
) -> None:
    assert pass_on(sound + rest, size, Choices(1)) == (sound, ended)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_added_to_an_error_of_the_engines_own(size: int) -> None:
    for stream in (ROLE + OWN_ERROR + DONE, ROLE + OWN_ERROR):
        judge = Choices(1)
        assert pass_on(stream, size, judge) == (stream, "whole")
        assert judge.failed


@pytest.mark.parametrize("size", SIZES)
def test_the_end_of_an_answer_in_doubt_is_kept_until_it_is_asked_for(size: int) -> None:
    stream, out = CREATED + DELTA + COMPLETED + b": bye\n\n", b""
    judge = Responses(1)
    guard = StreamGuard(judge)
    for at in range(0, len(stream), size):
        out += guard.feed(stream[at : at + size])
    assert judge.doubtful
    assert out == CREATED + DELTA
    assert guard.finish() == COMPLETED + b": bye\n\n"


def test_a_text_that_speaks_the_protocol_says_nothing() -> None:
    quoted = b'data: {"choices":[{"index":0,"delta":{"content":"\\ndata: [DONE]\\n\\n"}}]}\n\n'
    assert pass_on(quoted + LENGTH, 50, Choices(1)) == (quoted + LENGTH, "answer_truncated")


@pytest.mark.parametrize("event", [b"data: no JSON\n\n", b"data: [1]\n\n", b"data: {\n\n"])
def test_an_event_that_cannot_be_read_may_have_been_a_part_of_the_answer(event: bytes) -> None:
    assert pass_on(ROLE + event + STOP + DONE, 10_000, Choices(1)) == (ROLE, "answer_truncated")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_follows_an_answer_in_doubt_is_kept_with_it(size: int) -> None:
    done = {"type": "response.completed", "response": {"status": "completed", "output": [1]}}
    stream = b"data: " + orjson.dumps(done) + b"\n\n" + DONE
    assert pass_on(stream, size, Responses(1)) == (stream, "whole")
