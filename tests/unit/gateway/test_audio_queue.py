"""Recordings are heard a few at a time, in order, and none shuts the others out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge

from synapse_common.refusals import Refusal
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.audio.queue import TranscriptionQueue
from synapse_gateway.config import App, Model
from synapse_gateway.settings import Settings

EARS = Model(
    url="http://engine/v1",
    served_name="served",
    name="ears",
    kind="transcription",
    engine="speaches",
)
OTHER = Model(
    url="http://engine/v1",
    served_name="served",
    name="other",
    kind="transcription",
    engine="speaches",
)
BATCH = App(name="archive", models=("*",), priority="batch")
OTHER_BATCH = App(name="minutes", models=("*",), priority="batch")
VOICE = App(name="voice", models=("*",))


class House:
    """Two turns for every model, and who had theirs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        gauge = Gauge("waiting", "", ["model"], registry=self.registry)
        self.queue = TranscriptionQueue(
            Settings(transcription_concurrency=2, transcription_wait_s=100), gauge
        )
        self.heard: list[int] = []
        self.running = self.most = 0

    def waiting(self, model: Model = EARS) -> float | None:
        return self.registry.get_sample_value("waiting", {"model": model.name})

    async def hear(
        self,
        number: int,
        seconds: float = 10,
        model: Model = EARS,
        *,
        app: App = BATCH,
        is_short: bool = False,
    ) -> RequestRecord:
        record = RequestRecord("POST", "/", app=app)
        async with self.queue.turn(model, record, is_short=is_short):
            self.heard.append(number)
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                await asyncio.sleep(seconds)
            finally:
                self.running -= 1
        return record

    def come(
        self, numbers: range, seconds: float = 10, **how: Any
    ) -> list[asyncio.Task[RequestRecord]]:
        return [asyncio.create_task(self.hear(number, seconds, **how)) for number in numbers]


@pytest.mark.looptime
async def test_ten_are_heard_in_order_two_at_a_time() -> None:
    house = House()
    coming = house.come(range(10))
    await asyncio.sleep(1)
    assert house.waiting() == 8
    heard = await asyncio.gather(*coming)
    assert (house.heard, house.most) == (list(range(10)), 2)
    assert [record.waited_s for record in heard[::2]] == [0, 10, 20, 30, 40]
    assert house.waiting() == 0


@pytest.mark.looptime
async def test_who_leaves_waiting_or_running_makes_room_at_once() -> None:
    house = House()
    coming = house.come(range(5))
    await asyncio.sleep(1)
    for leaving in (2, 0):
        coming[leaving].cancel()
    await asyncio.sleep(1)
    assert (house.heard, house.waiting()) == ([0, 1, 3], 1)
    await asyncio.gather(*coming, return_exceptions=True)
    assert (house.heard, house.running) == ([0, 1, 3, 4], 0)


@pytest.mark.looptime
async def test_a_wait_ends_at_its_limit_with_a_sentence() -> None:
    house = House()
    long = house.come(range(2), seconds=500)
    await asyncio.sleep(0)
    with pytest.raises(Refusal, match="'ears' still transcribes other recordings after 100 s"):
        await house.hear(2)
    assert asyncio.get_running_loop().time() == 100
    assert house.waiting() == 0
    for task in long:
        task.cancel()
    await asyncio.gather(*long, return_exceptions=True)
    await house.hear(3)
    assert house.heard == [0, 1, 3]


@pytest.mark.looptime
async def test_who_has_waited_takes_a_turn_elsewhere_only_if_one_is_free() -> None:
    house, record = House(), RequestRecord("POST", "/", app=BATCH, waited_s=100)
    async with house.queue.turn(OTHER, record, is_short=False):
        long = house.come(range(2), seconds=500)
        await asyncio.sleep(0)
        with pytest.raises(Refusal):
            await house.queue.turn(EARS, record, is_short=False).__aenter__()
        assert asyncio.get_running_loop().time() == 0
    for task in long:
        task.cancel()


@pytest.mark.looptime
async def test_speech_and_providers_wait_for_nobody_here() -> None:
    house = House()
    voice = Model(
        url="http://engine/v1", served_name="served", name="v", kind="speech", engine="piper"
    )
    outside = Model(
        url="http://engine/v1",
        served_name="served",
        name="o",
        kind="transcription",
        engine="openai",
    )
    for model in (voice, outside):
        all_of_them = [house.hear(number, model=model) for number in range(5)]
        assert {record.waited_s for record in await asyncio.gather(*all_of_them)} == {None}
    assert house.most == 5


@pytest.mark.looptime
async def test_a_short_command_is_heard_at_once_beside_long_recordings_of_anybody() -> None:
    house = House()
    long = house.come(range(2), seconds=500) + house.come(range(2, 6), seconds=500, app=VOICE)
    await asyncio.sleep(1)
    assert house.running == 2
    command = await house.hear(100, 2, app=VOICE, is_short=True)
    assert command.waited_s == 0
    for task in long:
        task.cancel()


@pytest.mark.looptime
async def test_short_batch_recordings_leave_the_turn_for_commands_alone() -> None:
    house = House()
    recordings = house.come(range(16), is_short=True)
    await asyncio.sleep(1)
    assert house.running == 2
    assert (await house.hear(100, 1, app=VOICE, is_short=True)).waited_s == 0
    await asyncio.gather(*recordings)


@pytest.mark.looptime
async def test_a_long_interactive_recording_waits_for_one_turn_whatever_batch_waits() -> None:
    house = House()
    recordings = house.come(range(16))
    await asyncio.sleep(1)
    assert (await house.hear(100, app=VOICE)).waited_s == 9
    await asyncio.gather(*recordings)


@pytest.mark.looptime
async def test_another_application_is_next_however_many_recordings_of_one_wait() -> None:
    house = House()
    recordings = house.come(range(16))
    await asyncio.sleep(1)
    assert (await house.hear(100, app=OTHER_BATCH)).waited_s == 9
    await asyncio.gather(*recordings)
