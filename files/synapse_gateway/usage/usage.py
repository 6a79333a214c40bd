"""Counts what is used and has it written; no request waits for that but one that costs money."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import Gauge

from synapse_gateway.access_log import RequestRecord
from synapse_gateway.log_pipe import now, write_line
from synapse_gateway.usage.counts import DAY_S, Key, Limit, Used, day_of, month_of
from synapse_gateway.usage.store import Store, StoreError

Found = TypeVar("Found")
Work = Callable[[dict[Key, Used], dict[str, float]], Found]
"""What the thread does, with all that was counted since it wrote last."""

BEHIND_S = 1.0
"""How long what costs nothing may wait to be written."""
RETRY_S = 10.0
"""After which a file that could not be written is tried again."""
KEPT_DAYS = 397
"""Thirteen months."""
PEOPLE = 1000
"""That are counted one by one on one day, of one application: it writes their names itself."""
OTHERS = "others"


@dataclass(frozen=True)
class Overview:
    """One day of every application."""

    day: str
    today: Mapping[str, Used]
    people: Mapping[str, int]
    """How many it had, where it tells them apart."""
    last_use: Mapping[str, float]
    """In seconds since 1970, whatever the day."""


class Usage:
    """What every application uses, with a thread of its own for the file."""

    def __init__(
        self, file: Path | None, kept: Gauge, clock_s: Callable[[], float] = time.time
    ) -> None:
        """Keep it in this file; None: until the process ends. The gauge says whether it is kept."""
        self._store = Store(file)
        self._kept = kept
        self._kept.set(1)
        self._clock_s = clock_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="usage")
        self._day = (0, "")
        """The number of the day, and its name."""
        self._people: dict[str, set[str]] = {}
        """By application, the people of this day."""
        self._used: dict[Key, Used] = {}
        self._last_use: dict[str, float] = {}
        self._is_kept = True
        self._working: set[asyncio.Task[Any]] = set()
        self._waiting = asyncio.Event()
        """Something of it is not written yet."""

    def note(self, record: RequestRecord) -> None:
        """Count a request that has ended; its money, if it cost any, was counted before."""
        app = record.app
        if app is None:
            return
        now_s = self._clock_s()
        self._last_use[app.name] = now_s
        if record.kind is not None:
            served = record.served or record.model
            key = self.key(app.name, record.person, served.name if served else "")
            used = self._used.get(key)
            if used is None:
                used = self._used[key] = Used()
            used.requests += 1
            used.tokens_in += record.tokens_in or 0
            used.tokens_out += record.tokens_out or 0
        self._waiting.set()

    def key(self, app: str, person: str | None, model: str) -> Key:
        """Return whose use it is, today."""
        number = int(self._clock_s() // DAY_S)
        if number != self._day[0]:
            self._day = number, day_of(number * DAY_S)
            self._people.clear()
        if person:
            known = self._people.setdefault(app, set())
            if person not in known and len(known) >= PEOPLE:
                person = OTHERS
            known.add(person)
        return Key(self._day[1], app, person or "", model)

    def spend(self, key: Key, nano_usd: int) -> None:
        """Count money, or take back what was booked beyond it; it is written soon."""
        self._used.setdefault(key, Used()).nano_usd += nano_usd
        self._waiting.set()

    async def book(
        self, key: Key, nano_usd: int, limits: Sequence[Limit]
    ) -> tuple[Limit, int] | None:
        """Write money down before it is spent, or return the limit in the way and what it leaves.

        Raises StoreError where it cannot be written.
        """
        booking = self._begin(
            lambda used, last_use: self._store.book(used, last_use, key, nano_usd, limits)
        )
        try:
            return await asyncio.shield(booking)
        except asyncio.CancelledError:
            booking.add_done_callback(lambda done: self._take_back(done, key, nano_usd))
            raise

    async def overview(self) -> Overview:
        """Return what every application used today, how many people it had, and its last use."""
        day = day_of(self._clock_s())
        return await self._read(
            lambda: Overview(
                day, self._store.by_app(day), self._store.people(day), self._store.last_use()
            )
        )

    async def by_person(self, app: str) -> dict[str, Used]:
        """Return what each person behind an application used this month; "": nobody knows who."""
        since = month_of(day_of(self._clock_s()))
        return await self._read(lambda: self._store.by_person(app, since))

    async def follow(self) -> None:
        """Write what was counted, again and again, and forget what is old; until cancelled."""
        forgot = ""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(BEHIND_S)
            try:
                await self.write()
                today_s = self._clock_s()
                if day_of(today_s) != forgot:
                    oldest = day_of(today_s - KEPT_DAYS * DAY_S)
                    await self._read(partial(self._store.forget, oldest))
                    forgot = day_of(today_s)
            except StoreError:  # told already
                await asyncio.sleep(RETRY_S)

    async def write(self) -> None:
        """Write what was counted until now; raise StoreError where that cannot be."""
        await asyncio.shield(self._begin(self._store.add))

    async def close(self) -> None:
        """Write what is left and close the file."""
        with contextlib.suppress(StoreError):  # told already
            await self.write()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)

    async def _read(self, question: Callable[[], Found]) -> Found:
        """Ask the file, with what was counted until now in it."""

        def work(used: Mapping[Key, Used], last_use: Mapping[str, float]) -> Found:
            self._store.add(used, last_use)
            return question()

        return await asyncio.shield(self._begin(work))

    def _begin(self, work: Work[Found]) -> asyncio.Task[Found]:
        """Have the file written with what waits for it, whoever stops waiting for the end."""
        working = asyncio.create_task(self._work(work, *self._taken()))
        self._working.add(working)
        working.add_done_callback(self._working.discard)
        return working

    async def _work(
        self, work: Work[Found], used: dict[Key, Used], last_use: dict[str, float]
    ) -> Found:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, work, used, last_use)
        except StoreError as error:
            self._put_back(used, last_use)
            self._tell(False, {"event": "usage_not_kept", "error": str(error)})
            raise
        self._tell(True, {"event": "usage_kept_again"})
        return found

    def _tell(self, is_kept: bool, line: dict[str, Any]) -> None:
        """Tell the log and the metrics that the file fails, or that it is mended."""
        if self._is_kept != is_kept:
            self._is_kept = is_kept
            self._kept.set(is_kept)
            write_line({"ts": now(), **line})

    def _take_back(
        self, booking: asyncio.Task[tuple[Limit, int] | None], key: Key, nano_usd: int
    ) -> None:
        """Take money back that was booked for a client who did not wait for it."""
        if booking.exception() is None and booking.result() is None:
            self.spend(key, -nano_usd)

    def _taken(self) -> tuple[dict[Key, Used], dict[str, float]]:
        """Take what is not written yet."""
        taken = self._used, self._last_use
        self._used, self._last_use = {}, {}
        self._waiting.clear()
        return taken

    def _put_back(self, used: Mapping[Key, Used], last_use: Mapping[str, float]) -> None:
        for key, one in used.items():
            self._used.setdefault(key, Used()).add(one)
        self._last_use = {**last_use, **self._last_use}
        self._waiting.set()
