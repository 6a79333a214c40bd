"""The file of what was used: two processes write to it, and none of them can lose or pass a sum."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_gateway.usage.counts import NANO, Key, Limit, Used
from synapse_gateway.usage.store import Store, StoreError

PAGE = Key("2027-01-31", "page", "", "cloud")
IN_JANUARY, IN_FEBRUARY = "2027-01-01", "2027-02-01"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "usage.sqlite"


COUNT = "for at in range(100): store.add({PAGE: Used(1, 10, 20, 3)}, {'page': float(at)})"
BOOK = "for _ in range(100): store.book({}, {}, PAGE, 3, [Limit('page', 100)])"
BOOK_AND_DIE = "store.book({}, {}, PAGE, 7, []); os.kill(os.getpid(), signal.SIGKILL)"


def _started(file: Path, work: str) -> subprocess.Popen[bytes]:
    """Have another process work with the file."""
    code = f"""
import os, signal
from pathlib import Path
from synapse_gateway.usage.counts import Key, Limit, Used
from synapse_gateway.usage.store import Store
PAGE, store = Key{tuple(PAGE)}, Store(Path("{file}"))
{work}
"""
    found = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", code], env=found)


def test_two_processes_lose_nothing_of_each_other(file: Path) -> None:
    writing = [_started(file, COUNT) for _ in range(2)]
    assert [process.wait(60) for process in writing] == [0, 0]
    store = Store(file)
    assert store.by_app(IN_JANUARY) == {"page": Used(200, 2000, 4000, 600)}
    assert store.last_use() == {"page": 99.0}


def test_two_processes_together_stay_within_a_limit(file: Path) -> None:
    writing = [_started(file, BOOK) for _ in range(2)]
    assert [process.wait(60) for process in writing] == [0, 0]
    limit, store = Limit("page", 100), Store(file)
    assert store.by_app(IN_JANUARY)["page"].nano_usd == 99
    assert store.book({}, {}, PAGE, 3, [limit]) == (limit, 1)
    assert store.book({}, {}, PAGE, 1, [limit]) is None


def test_what_is_booked_survives_a_kill(file: Path) -> None:
    assert _started(file, BOOK_AND_DIE).wait(60) == -signal.SIGKILL
    assert Store(file).by_app(IN_JANUARY) == {"page": Used(nano_usd=7)}


def test_a_limit_counts_its_own_application_or_all_and_its_own_month(file: Path) -> None:
    store = Store(file)
    other = PAGE._replace(app="other")
    store.add({PAGE: Used(nano_usd=60), other: Used(nano_usd=30)}, {})
    own, whole = Limit("page", 80), Limit(None, 100)
    assert store.book({}, {}, PAGE, 15, [own, whole]) == (whole, 10)
    assert store.book({}, {}, other, 15, [Limit("other", 80)]) is None
    assert store.book({}, {}, PAGE, 21, [own]) == (own, 20)
    assert store.book({}, {}, PAGE._replace(day=IN_FEBRUARY), 21, [own]) is None


def test_what_waits_is_written_although_the_limit_is_used_up(file: Path) -> None:
    store = Store(file)
    limit = Limit("page", 5)
    assert store.book({PAGE: Used(2, 3, 4)}, {"page": 1.5}, PAGE, 6, [limit]) == (limit, 5)
    assert store.by_app(IN_JANUARY) == {"page": Used(2, 3, 4)}


def test_a_limit_counts_what_waits_to_be_written(file: Path) -> None:
    limit = Limit("page", 5 * NANO)
    waiting = {PAGE: Used(nano_usd=3 * NANO)}
    assert Store(file).book(waiting, {}, PAGE, 3 * NANO, [limit]) == (limit, 2 * NANO)


def test_people_are_told_apart(file: Path) -> None:
    store = Store(file)
    store.add({PAGE._replace(person=name): Used(1) for name in ("ann", "ben")}, {})
    store.add({PAGE._replace(person="ann", model="tiny"): Used(2)}, {})
    assert store.by_person("page", IN_JANUARY) == {"ann": Used(3), "ben": Used(1)}
    assert store.by_person("other", IN_JANUARY) == {}


def test_what_is_old_is_forgotten(file: Path) -> None:
    store = Store(file)
    store.add({PAGE: Used(1), PAGE._replace(day=IN_FEBRUARY): Used(2)}, {})
    store.forget(IN_FEBRUARY)
    assert store.by_app("") == {"page": Used(2)}


def test_a_broken_file_is_an_error_until_it_is_gone(file: Path) -> None:
    file.write_bytes(b"this is no database" * 100)
    store = Store(file)
    with pytest.raises(StoreError, match="file is not a database"):
        store.add({PAGE: Used(1)}, {})
    file.unlink()
    store.add({PAGE: Used(1)}, {})
    assert store.by_app(IN_JANUARY) == {"page": Used(1)}
