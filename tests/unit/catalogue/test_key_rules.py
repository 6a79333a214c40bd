"""What `make check` says of keys: that one has ended, or will soon."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from synapse_deploy.catalogue import check, key_rules

MODEL = {"name": "tiny", "engine": "ollama", "source": "tiny"}


def site(**app: Any) -> dict[str, Any]:
    return {
        "synapse_models": [MODEL],
        "synapse_aliases": [],
        "synapse_apps": [{"name": "visit", "models": ["tiny"], **app}],
    }


def faults(**app: Any) -> list[str]:
    """What is wrong with the application."""
    found = check.problems(site(**app))
    return [one.text for one in found if one.path[0] == "synapse_apps"]


@pytest.fixture(autouse=True)
def _the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rules, "today", lambda: date(2027, 1, 20))


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (None, ""),
        ("2027-02-03", ""),
        ("2027-02-02", "the key ends after 2027-02-02 (UTC)"),
        (date(2027, 1, 20), "the key ends after 2027-01-20 (UTC)"),
        ("2027-01-19", "the key ended on 2027-01-19: the gateway refuses it"),
    ],
)
def test_it_is_told_and_is_no_fault(until: Any, said: str) -> None:
    told = check.warnings(site(key_until=until))
    assert len(told) == bool(said)
    assert all(said in one.text and one.path[0] == "synapse_apps" for one in told)
    assert not faults(key_until=until)


@pytest.mark.parametrize("until", ["soon", "2027-02-30", 5, True, [2027]])
def test_what_is_no_day_is_a_fault_and_told_once(until: Any) -> None:
    (one,) = faults(key_until=until)
    assert "is no day; write one such as 2027-01-31" in one
    assert not check.warnings(site(key_until=until))


@pytest.mark.parametrize("name", ["Authorization", "x-synapse-person", "User", "my header"])
def test_a_header_that_names_no_person_is_a_fault(name: str) -> None:
    (one,) = faults(person_from=name)
    assert one.startswith(f'app visit: person_from "{name}" ')
    assert not faults(person_from="X-OpenWebUI-User-Id")
