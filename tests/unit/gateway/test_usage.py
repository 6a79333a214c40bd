"""What is used is counted, written within a second, and read with what is not written yet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from prometheus_client import Gauge

from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import App, Model
from synapse_gateway.usage.counts import Key, Limit, Used
from synapse_gateway.usage.store import Store, StoreError
from synapse_gateway.usage.usage import OTHERS, PEOPLE, Usage

PAGE = App(name="page", models=("tiny",))
TINY = Model(url="http://e/v1", served_name="t", name="tiny", kind="chat", engine="ollama")
NOW_S = 1_801_400_000.0  # 2027-01-31, late
TODAY = "2027-01-31"
CLOUD = Key(TODAY, "page", "", "cloud")


class Clock:
    now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "usage.sqlite"


@pytest.fixture
def kept() -> Gauge:
    return Gauge("kept", "", registry=None)


@pytest.fixture
async def usage(file: Path, kept: Gauge, clock: Clock) -> AsyncIterator[Usage]:
    found = Usage(file, kept, clock)
    yield found
    await found.close()


def record(person: str | None = None, kind: str | None = "chat") -> RequestRecord:
    made = RequestRecord("POST", "/v1/chat/completions", kind=kind, app=PAGE, model=TINY)
    made.begin(TINY)
    made.person, made.tokens_in, made.tokens_out, made.status = person, 5, 7, 200
    return made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # of a file
            await asyncio.sleep(0)


def spoil(file: Path) -> None:
    file.write_bytes(b"this is no database" * 100)


def mend(file: Path) -> None:
    file.unlink()


def value(gauge: Gauge) -> float:
    return next(iter(gauge.collect())).samples[0].value


async def test_what_was_noted_is_read_at_once(usage: Usage, clock: Clock) -> None:
    assert (await usage.overview()).last_use == {}
    usage.note(record())
    clock.now_s += 10
    usage.note(record())
    found = await usage.overview()
    assert found.today == {"page": Used(2, 10, 14)}
    assert await usage.by_person("page") == {"": Used(2, 10, 14)}
    assert found.last_use == {"page": NOW_S + 10}


async def test_a_day_and_a_month_end_in_utc(usage: Usage, clock: Clock) -> None:
    usage.note(record())
    clock.now_s += 86_400
    usage.note(record())
    usage.note(record())
    assert (await usage.overview()).today == {"page": Used(2, 10, 14)}
    assert await usage.by_person("page") == {"": Used(2, 10, 14)}


async def test_people_are_told_apart_up_to_a_number(usage: Usage) -> None:
    for number in range(PEOPLE + 5):
        usage.note(record(f"person-{number}"))
    usage.note(record("person-0"))
    usage.note(record())
    found = await usage.by_person("page")
    assert len(found) == PEOPLE + 2
    assert (found["person-0"].requests, found[OTHERS].requests, found[""].requests) == (2, 5, 1)


async def test_a_list_is_a_use_of_the_key_but_no_request(usage: Usage) -> None:
    usage.note(record(kind=None))
    found = await usage.overview()
    assert (found.last_use, found.today) == ({"page": NOW_S}, {})


async def test_it_is_written_without_being_asked(
    usage: Usage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synapse_gateway.usage.usage.BEHIND_S", 0.0)
    following = asyncio.create_task(usage.follow())
    usage.note(record())
    await until(lambda: bool(Store(file).by_app(TODAY)))
    following.cancel()
    assert Store(file).by_app(TODAY) == {"page": Used(1, 5, 7)}


async def test_a_month_of_thirteen_ago_is_forgotten(
    usage: Usage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synapse_gateway.usage.usage.BEHIND_S", 0.0)
    old, older = CLOUD._replace(day="2025-12-31"), CLOUD._replace(day="2025-12-29")
    Store(file).add({old: Used(1), older: Used(1)}, {})
    following = asyncio.create_task(usage.follow())
    usage.note(record())
    await until(lambda: Store(file).by_app("2025-01-01") == {"page": Used(2, 5, 7)})
    following.cancel()


async def test_what_is_left_is_written_at_the_end(file: Path, kept: Gauge, clock: Clock) -> None:
    usage = Usage(file, kept, clock)
    usage.note(record())
    await usage.close()
    assert Store(file).by_app(TODAY) == {"page": Used(1, 5, 7)}


async def test_without_a_file_it_is_counted_all_the_same(kept: Gauge, clock: Clock) -> None:
    usage = Usage(None, kept, clock)
    usage.note(record())
    assert (await usage.overview()).today == {"page": Used(1, 5, 7)}
    await usage.close()


async def test_a_broken_file_is_told_once_and_nothing_is_lost(
    usage: Usage, file: Path, kept: Gauge, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    spoil(file)
    for _ in range(2):
        usage.note(record())
        with pytest.raises(StoreError):
            await usage.write()
    assert value(kept) == 0
    with pytest.raises(StoreError):
        await usage.book(CLOUD, 5, [])
    mend(file)
    usage.note(record())
    assert (await usage.overview()).today == {"page": Used(3, 15, 21)}
    assert value(kept) == 1
    lines = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["usage_not_kept", "usage_kept_again"]
    assert "is not a database" in lines[0]["error"]


async def test_money_is_on_the_disk_once_it_is_booked(usage: Usage, file: Path) -> None:
    usage.note(record())
    assert await usage.book(CLOUD, 5, [Limit("page", 5)]) is None
    assert Store(file).by_app(TODAY) == {"page": Used(1, 5, 7, 5)}
    assert await usage.book(CLOUD, 1, [Limit("page", 5)]) == (Limit("page", 5), 0)


async def test_what_was_too_much_is_free_for_the_next_at_once(usage: Usage) -> None:
    assert await usage.book(CLOUD, 5, [Limit("page", 5)]) is None
    usage.spend(CLOUD, -4)
    assert await usage.book(CLOUD, 4, [Limit("page", 5)]) is None


async def test_a_client_that_leaves_while_money_is_booked_has_spent_none(usage: Usage) -> None:
    booking = asyncio.create_task(usage.book(CLOUD, 5, []))
    await asyncio.sleep(0)
    booking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await booking
    await usage.overview()  # what the thread does first is done
    assert await usage.book(CLOUD, 5, [Limit("page", 5)]) is None
