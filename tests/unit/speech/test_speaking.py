"""Who is spoken to, when, and until when; no sentence is spoken before the test says so."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.applications import Starlette

from speech_stage import LIMIT_S, Client, GatedVoice, metrics, speaking

SECOND = 24_000 * 2
"""Bytes of one second of PCM."""


async def told(server: Starlette, series: str) -> None:
    """Let the server run until its metrics say this."""
    for _ in range(LIMIT_S * 100):
        if f"synapse_speech_{series}\n" in metrics(server):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"the metrics never said {series}")


async def test_each_sentence_leaves_as_soon_as_it_is_spoken() -> None:
    voice = GatedVoice()
    client = Client(speaking(voice), "one. two. three.")
    for spoken in (["one"], ["one", " two"], ["one", " two", " three"]):
        voice.gate.release()
        assert len(await client.piece()) > SECOND * 0.9
        assert voice.spoken == spoken
    await client.end()
    assert client.status == 200


async def test_what_is_spoken_is_what_a_person_would_read() -> None:
    voice = GatedVoice()
    voice.gate.release()
    client = Client(speaking(voice), "## **Milk** for $5")
    await client.end()
    assert voice.spoken == ["Milk for 5 dollars"]


async def test_a_client_that_prepares_its_texts_itself_has_them_spoken_as_they_are() -> None:
    voice = GatedVoice()
    voice.gate.release()
    client = Client(speaking(voice), "## **Milk** for $5", normalize=False)
    await client.end()
    assert voice.spoken == ["## **Milk** for $5"]


@pytest.mark.parametrize("text", ["...", "\U0001f600", "---", "```"])
async def test_a_text_without_a_word_is_a_short_silence(text: str) -> None:
    voice = GatedVoice()
    client = Client(speaking(voice), text)
    await client.end()
    assert client.status == 200
    assert len(await client.piece()) == SECOND * 0.2
    assert voice.spoken == []


@pytest.mark.parametrize("speed", [0.25, 0.5, 2, 4])
async def test_a_speed_is_kept_by_words_and_pauses(speed: float) -> None:
    voice = GatedVoice()
    voice.gate.release(2)
    client = Client(speaking(voice), "one. two.", speed=speed)
    await client.end()
    size = sum(len(client.pieces.get_nowait()) for _ in range(client.pieces.qsize()))
    assert size == pytest.approx(SECOND * 2.2 / speed, rel=0.001)


async def test_sentences_of_many_are_spoken_in_the_order_they_came_up() -> None:
    voice = GatedVoice()
    server = speaking(voice, workers=1)
    clients = []
    for number, name in enumerate("abcdefghij"):
        clients.append(Client(server, f"{name}1. {name}2."))
        await told(server, f"requests_in_flight {number + 1}.0")
    for _ in range(20):
        voice.gate.release()
    await asyncio.gather(*(client.end() for client in clients))
    assert {client.status for client in clients} == {200}
    firsts = [sentence for sentence in voice.spoken if sentence.endswith("1")]
    assert firsts == [f"{name}1" for name in "abcdefghij"]
    assert voice.spoken.index(" a2") < voice.spoken.index("j1") + 2, "nobody waits for a whole text"


async def test_who_leaves_is_spoken_to_no_more() -> None:
    voice = GatedVoice()
    server = speaking(voice, workers=1, requests_at_once=1)
    client = Client(server, "one. two. three. four.")
    voice.gate.release()
    await client.piece()
    client.left.set()
    await client.end()
    voice.gate.release(9)
    other = Client(server, "other.")
    await other.end()
    assert other.status == 200, "the place is free again"
    assert voice.spoken[-1] == "other"
    assert not {" three", " four"} & set(voice.spoken)
    assert 'requests_total{status="499"} 1.0' in metrics(server)


async def test_one_request_too_many_is_told_the_limit() -> None:
    voice = GatedVoice()
    server = speaking(voice, requests_at_once=4)
    held = [Client(server, "one."), Client(server, "two.")]
    await told(server, "requests_in_flight 2.0")
    other = Client(server, "four.", ("other", "batch"))
    client = Client(server, "three.")
    await client.end()
    error = json.loads(await client.piece())["error"]
    assert (client.status, error["code"]) == (503, "too_many_requests_at_once")
    assert "4 places of requests_at_once" in error["message"]
    voice.gate.release(3)
    await asyncio.gather(*(client.end() for client in [*held, other]))
    assert other.status == 200, "one application leaves places for another"


async def test_an_interactive_sentence_goes_before_a_batch_of_long_texts() -> None:
    voice = GatedVoice()
    server = speaking(voice, workers=1)
    batch = [Client(server, f"{name}1. {name}2.", ("archive", "batch")) for name in "abcd"]
    await told(server, "sentences_waiting 3.0")
    person = Client(server, "person.", ("voice", "interactive"))
    await told(server, "sentences_waiting 4.0")
    voice.gate.release(2)
    await person.end()
    assert voice.spoken[1] == "person"
    voice.gate.release(7)
    await asyncio.gather(*(client.end() for client in batch))


async def test_applications_take_turns_sentence_by_sentence() -> None:
    voice = GatedVoice()
    server = speaking(voice, workers=1)
    many = [Client(server, f"{name}1. {name}2.", ("many", "batch")) for name in "abcd"]
    await told(server, "sentences_waiting 3.0")
    one = Client(server, "one1. one2.", ("one", "batch"))
    await told(server, "sentences_waiting 4.0")
    voice.gate.release(10)
    await asyncio.gather(one.end(), *(client.end() for client in many))
    assert voice.spoken.index("one1") == 1
    assert voice.spoken.index(" one2") in (3, 4)


async def test_a_worker_is_nobody_elses_before_its_sentence_is_done() -> None:
    voice = GatedVoice()
    server = speaking(voice, workers=1)
    leaving = Client(server, "one. two.")
    await told(server, "requests_in_flight 1.0")
    waiting = Client(server, "three.")
    await told(server, "sentences_waiting 1.0")
    leaving.left.set()
    await leaving.end()
    assert "sentences_waiting 1.0" in metrics(server)
    voice.gate.release(2)
    await waiting.end()
    assert voice.spoken == ["one", "three"]


async def test_the_queue_can_be_watched() -> None:
    voice = GatedVoice()
    server = speaking(voice, workers=1)
    clients = [Client(server, "one.") for _ in range(3)]
    await told(server, "requests_in_flight 3.0")
    await told(server, "sentences_waiting 2.0")
    voice.gate.release(3)
    await asyncio.gather(*(client.end() for client in clients))
    await told(server, "sentences_waiting 0.0")
    await told(server, 'time_to_first_audio_byte_seconds_count{model="piper"} 3.0')
    await told(server, 'real_time_factor_count{model="piper"} 3.0')


async def test_a_voice_that_fails_is_a_told_error_before_the_first_byte() -> None:
    voice = GatedVoice()
    voice.fails = True
    voice.gate.release()
    client = Client(speaking(voice), "one.")
    await client.end()
    assert (client.status, json.loads(await client.piece())["error"]["code"]) == (
        500,
        "internal_error",
    )


async def test_a_voice_that_fails_later_breaks_the_answer_off() -> None:
    voice = GatedVoice()
    client = Client(speaking(voice), "one. two.")
    voice.gate.release()
    await client.piece()
    voice.fails = True
    voice.gate.release()
    with pytest.raises(RuntimeError):
        await client.end()
