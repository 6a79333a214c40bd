"""The file: SQLite, to which two gateways may write while one replaces the other."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from synapse_gateway.usage.counts import Key, Limit, Used, month_of

MEMORY = ":memory:"
BUSY_S = 5.0
"""How long the other gateway may be writing."""
LOOK_AGAIN_S = 0.02
SCHEMA = """
CREATE TABLE IF NOT EXISTS used (
    day TEXT, app TEXT, person TEXT, model TEXT,
    requests INTEGER NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL,
    nano_usd INTEGER NOT NULL,
    PRIMARY KEY (day, app, person, model)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last_use (app TEXT PRIMARY KEY, at_s REAL NOT NULL) WITHOUT ROWID;
"""
# Only sums are written: what another gateway has written meanwhile stays.
ADD = """
INSERT INTO used VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    requests = requests + excluded.requests,
    tokens_in = tokens_in + excluded.tokens_in,
    tokens_out = tokens_out + excluded.tokens_out,
    nano_usd = nano_usd + excluded.nano_usd
"""
TOUCH = """
INSERT INTO last_use VALUES (?, ?)
ON CONFLICT DO UPDATE SET at_s = max(at_s, excluded.at_s)
"""
SUMS = "sum(requests), sum(tokens_in), sum(tokens_out), sum(nano_usd)"


class StoreError(Exception):
    """The file cannot be read or written; the text says what SQLite says."""


class Store:
    """The file, opened when it is needed. One thread at a time may use it; each call may wait.

    Every method raises StoreError, after which nothing of the call is in the file.
    """

    def __init__(self, file: Path | None) -> None:
        """Keep everything there; None: in memory, until the process ends."""
        self._file = str(file) if file else MEMORY
        self._open: sqlite3.Connection | None = None

    def add(self, used: Mapping[Key, Used], last_use: Mapping[str, float]) -> None:
        """Add to what was used, all of it or nothing."""
        with self._writing() as file:
            _add(file, used, last_use)

    def book(
        self,
        used: Mapping[Key, Used],
        last_use: Mapping[str, float],
        key: Key,
        nano_usd: int,
        limits: Sequence[Limit],
    ) -> tuple[Limit, int] | None:
        """Add money if it is within limits: return the limit in the way, and what it leaves.

        What else was used meanwhile is added in any case. Once this returns, it is on the disk.
        """
        with self._writing() as file:
            _add(file, used, last_use)
            for limit in limits:
                left = limit.nano_usd - _spent(file, month_of(key.day), limit.app)
                if nano_usd > left:
                    return limit, left
            _add(file, {key: Used(nano_usd=nano_usd)}, {})
        return None

    def by_app(self, since: str) -> dict[str, Used]:
        """Return what each application used since a day."""
        question = f"SELECT app, {SUMS} FROM used WHERE day >= ? GROUP BY app"  # noqa: S608
        return self._sums(question, (since,))

    def by_person(self, app: str, since: str) -> dict[str, Used]:
        """Return what each person behind an application used since a day."""
        question = f"SELECT person, {SUMS} FROM used WHERE day >= ? AND app = ? GROUP BY person"  # noqa: S608
        return self._sums(question, (since, app))

    def people(self, since: str) -> dict[str, int]:
        """Return how many people each application had since a day."""
        question = (
            "SELECT app, count(DISTINCT person) FROM used "
            "WHERE day >= ? AND person != '' GROUP BY app"
        )
        with self._using() as file:
            return dict(file.execute(question, (since,)))

    def last_use(self) -> dict[str, float]:
        """Return when each application asked last."""
        with self._using() as file:
            return dict(file.execute("SELECT app, at_s FROM last_use"))

    def forget(self, before: str) -> None:
        """Remove what was used before a day."""
        with self._writing() as file:
            file.execute("DELETE FROM used WHERE day < ?", (before,))

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def _sums(self, question: str, arguments: Sequence[str]) -> dict[str, Used]:
        with self._using() as file:
            return {name: Used(*sums) for name, *sums in file.execute(question, arguments)}

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._using() as file:
            file.execute("BEGIN IMMEDIATE")
            try:
                yield file
                file.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
                    file.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._open is None:
                self._open = _opened(self._file)
            yield self._open
        except (sqlite3.Error, OSError) as error:
            if self._file != MEMORY:  # whose contents would be gone
                self.close()
            raise StoreError(f"{self._file}: {error}") from error


def _opened(file: str) -> sqlite3.Connection:
    opened = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _to_wal(opened)
        opened.execute("PRAGMA synchronous = FULL")  # booked money survives a power cut
        opened.executescript(SCHEMA)
    except BaseException:
        opened.close()
        raise
    return opened


def _to_wal(opened: sqlite3.Connection) -> None:
    """Have readers and a writer not wait for each other; SQLite itself waits for nobody here."""
    deadline_s = time.monotonic() + BUSY_S
    while True:
        try:
            opened.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(LOOK_AGAIN_S)


def _add(file: sqlite3.Connection, used: Mapping[Key, Used], last_use: Mapping[str, float]) -> None:
    rows = (
        (*key, one.requests, one.tokens_in, one.tokens_out, one.nano_usd)
        for key, one in used.items()
    )
    file.executemany(ADD, rows)
    file.executemany(TOUCH, last_use.items())


def _spent(file: sqlite3.Connection, since: str, app: str | None) -> int:
    question = "SELECT sum(nano_usd) FROM used WHERE day >= ? AND (app = ? OR ? IS NULL)"
    (spent,) = file.execute(question, (since, app, app)).fetchone()
    return int(spent or 0)
