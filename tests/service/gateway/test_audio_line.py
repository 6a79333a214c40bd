"""Ten recordings at once: heard in order, a few at a time, and nobody is forgotten."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from gateway_process import Gateway, until
from openai_stub import Behaviour, OpenAIStub

HEAR = "/v1/audio/transcriptions"
EARS = "whisper-lonely"
FILE = {"file": ("a.wav", b"RIFF", "audio/wav")}
LIMIT_S = 20
AT_ONCE, PLACES = 2, 11
"""Turns of a model, and places that one batch application may hold of 24."""
SLOW = Behaviour(words=tuple("x" * 500), between_tokens_s=0.1)
Asked = Future[httpx.Response]


class Queue:
    """Clients of one model that hears; the first ones hold its turns until they leave."""

    def __init__(self, gateway: Gateway, client: httpx.Client, pool: ThreadPoolExecutor) -> None:
        self.gateway, self.client, self.pool = gateway, client, pool
        self.running = contextlib.ExitStack()
        self.lines: list[Iterator[str]] = []
        """What is being read; letting go of it would close the connection."""

    def waiting(self) -> float:
        return self.gateway.metric("synapse_gateway_transcription_queue_length", model=EARS)

    def until_waiting(self, count: int) -> None:
        until(lambda: self.waiting() == count, LIMIT_S, lambda: f"{self.waiting()} wait")

    def occupy(self, model: str = EARS) -> None:
        """Take every turn of a model."""
        for _ in range(AT_ONCE):
            data = {"model": model, "stream": "true"}
            stream = self.client.stream("POST", HEAR, data=data, files=FILE)
            self.lines.append(self.running.enter_context(stream).iter_lines())
            next(self.lines[-1])

    def ask(
        self, name: str, timeout_s: float = LIMIT_S, headers: dict[str, str] | None = None
    ) -> Asked:
        how = {"data": {"model": EARS, "prompt": name}, "files": FILE, "headers": headers}
        return self.pool.submit(self.client.post, HEAR, **how, timeout=timeout_s)  # type: ignore[arg-type]

    def line_up(self, names: str, headers: dict[str, str] | None = None) -> list[Asked]:
        """Ask for each, one after another, so that they stand in this order."""
        asked = []
        for number, name in enumerate(names, start=int(self.waiting()) + 1):
            asked.append(self.ask(name, headers=headers))
            self.until_waiting(number)
        return asked


@pytest.fixture
def queue(gateway: Gateway, client: httpx.Client, speech: OpenAIStub) -> Iterator[Queue]:
    with ThreadPoolExecutor(PLACES + 5) as pool:
        made = Queue(gateway, client, pool)
        with made.running:
            speech.behaviours["lonely"] = SLOW
            made.occupy()
            speech.behaviours.clear()
            yield made
    made.until_waiting(0)


def heard(speech: OpenAIStub) -> str:
    return "".join(request.body.get("prompt", "") for request in speech.received)


def test_ten_at_once_are_heard_in_order(queue: Queue, speech: OpenAIStub) -> None:
    asked = queue.line_up("abcdefgh")
    assert heard(speech) == "", "nobody is at the engine before their turn"
    queue.running.close()  # those who run leave: their turns are free, their work ends
    answers = [future.result() for future in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert heard(speech) == "abcdefgh"
    # An engine may notice those who left only after it was asked by those who came.
    assert speech.most_at_once <= AT_ONCE + AT_ONCE
    until(lambda: speech.abandoned == AT_ONCE, LIMIT_S, lambda: "the engine went on")
    line = queue.gateway.line_of(answers[-1].headers["x-request-id"])
    assert 0 < line["waited_s"] <= line["duration_s"]


def test_who_leaves_the_line_is_never_heard(queue: Queue, speech: OpenAIStub) -> None:
    known = len(queue.gateway.lines)
    before, leaving = queue.line_up("a"), queue.ask("-", timeout_s=1)
    queue.until_waiting(2)
    after = queue.line_up("b")
    with pytest.raises(httpx.ReadTimeout):
        leaving.result()
    queue.until_waiting(2)
    queue.running.close()
    answers = [future.result() for future in before + after]
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:  # who left was logged before them
        queue.gateway.line_of(answer.headers["x-request-id"])
    assert sorted(heard(speech)) == ["a", "b"], "both may have their turns at once"
    left = [line for line in queue.gateway.lines[known:] if line["status"] == 499]
    assert any(line["waited_s"] > 0 for line in left)


def test_a_full_house_is_told_and_empties(queue: Queue, speech: OpenAIStub) -> None:
    names = "abcdefghi"
    assert len(names) + AT_ONCE == PLACES
    asked = queue.line_up(names)
    asked.append(queue.ask("-"))  # there is no place for it
    answers = [future.result() for future in asked]
    assert {answer.json()["error"]["code"] for answer in answers} == {"queue_timeout"}
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {
        (503, "30")
    }
    assert "still transcribes other recordings" in answers[0].json()["error"]["message"]
    last = queue.gateway.line_of(answers[-1].headers["x-request-id"])
    assert 10 <= last["waited_s"] < 11, "one limit for the place and the turn"
    queue.running.close()
    assert queue.ask("next").result().status_code == 200
    assert heard(speech) == "next"


def test_a_command_of_another_application_waits_for_nobody(
    queue: Queue, speech: OpenAIStub
) -> None:
    queue.line_up("abcdefghi")
    more = [queue.ask("-") for _ in range(3)]
    key = {"authorization": "Bearer sk-synapse-voice"}
    command = queue.client.post(HEAR, data={"model": EARS, "prompt": "!"}, files=FILE, headers=key)
    assert command.status_code == 200
    assert heard(speech) == "!"
    assert queue.gateway.line_of(command.headers["x-request-id"])["waited_s"] < 1
    queue.running.close()
    assert {future.result().status_code for future in more} == {200}


def test_one_person_of_an_application_waits_one_turn_however_much_another_asks(
    queue: Queue, speech: OpenAIStub
) -> None:
    anna, ben = (
        {"authorization": "Bearer sk-synapse-family", "x-openwebui-user-id": name}
        for name in ("anna", "ben")
    )
    asked = queue.line_up("abcdefg", anna) + queue.line_up("!", ben)
    queue.running.close()
    answers = [future.result() for future in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert "!" in heard(speech)[:AT_ONCE], "beside her first, before her second"


def test_a_fallback_takes_who_waited_too_long(
    queue: Queue, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    speech.behaviours["Systran/small"] = SLOW
    queue.occupy("whisper")
    answer = queue.client.post(HEAR, data={"model": "whisper"}, files=FILE)
    assert answer.headers["x-synapse-model"] == "whisper-cloud"
    line = queue.gateway.line_of(answer.headers["x-request-id"])
    assert (line["reason"], line["tried"]) == ("busy", ["whisper", "whisper-cloud"])
