"""A key is good until its last day is over, in UTC, whenever the gateway was started."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from synapse_common.refusals import Refusal
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.admission import Admission
from synapse_gateway.config import ConfigError, build
from synapse_gateway.keys import KeyRing
from synapse_gateway.metrics import Metrics
from synapse_gateway.wrong_keys import FREE

MODEL = {"name": "m", "kind": "chat", "engine": "vllm", "url": "http://e/v1", "served_name": "m"}
HEADERS = {"authorization": "Bearer sk-visit"}


class Door:
    """An admission whose clock is set by hand."""

    def __init__(self, folder: Path, until: Any) -> None:
        (folder / "visit").write_text("sk-visit")
        (folder / "synapse-master").write_text("sk-operator")
        app = {"name": "visit", "models": ["*"], "key_until": until}
        known = build({"models": [MODEL], "apps": [app]})
        metrics = Metrics(CollectorRegistry())
        self.now_s = 0.0
        self.admission = Admission(known, KeyRing(folder), metrics, lambda: self.now_s)

    def set(self, *when: int) -> None:
        self.now_s = datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]

    async def ask(self, headers: dict[str, str] = HEADERS) -> RequestRecord:
        record = RequestRecord("GET", "/")
        record.app = await self.admission.app(record, headers)
        return record


async def test_it_ends_with_the_last_second_of_its_last_day(tmp_path: Path) -> None:
    door = Door(tmp_path, "2027-01-31")
    door.set(2027, 1, 31, 23, 59, 59)
    assert (await door.ask()).app
    door.set(2027, 2, 1)
    with pytest.raises(Refusal, match="ended on 2027-01-31, its last day") as caught:
        await door.ask()
    assert (caught.value.status, caught.value.code) == (401, "expired_api_key")
    assert (await door.ask({"authorization": "Bearer sk-operator"})).app, "the operator's has none"


async def test_the_last_day_of_the_calendar_is_one_too(tmp_path: Path) -> None:
    door = Door(tmp_path, "9999-12-31")
    door.set(9999, 12, 31, 23, 59, 59)
    assert (await door.ask()).app


async def test_it_is_told_each_time_and_at_once_and_the_log_says_whose_it_was(
    tmp_path: Path,
) -> None:
    door = Door(tmp_path, "2027-01-31")
    door.set(2028, 1, 1)
    for _ in range(FREE + 5):
        record = RequestRecord("GET", "/")
        with pytest.raises(Refusal, match="ended on 2027-01-31"):
            await door.admission.app(record, HEADERS)
        assert record.app
        assert record.app.name == "visit"


@pytest.mark.parametrize("until", ["31.1.2027", "2027-02-30", 20270131, "", "2027-01-31T10:00:00"])
def test_what_is_no_day_is_refused(tmp_path: Path, until: Any) -> None:
    with pytest.raises(ConfigError, match=r"key_until .* is no day; write one such as 2027-01-31"):
        Door(tmp_path, until)
