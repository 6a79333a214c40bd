"""What was used, by day, application, person and model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

NANO = 10**9
"""Money is counted in whole billionths of a dollar: sums of them are exact."""
DAY_S = 86_400


class Key(NamedTuple):
    """Whose use it is."""

    day: str
    """In UTC, such as 2027-01-31."""
    app: str
    person: str
    """As the gateway calls him, which need not be his name; empty: nobody knows."""
    model: str
    """The one that answered, else the one asked for; empty: none that there is."""


@dataclass
class Used:
    """So many requests, and what they took."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    nano_usd: int = 0
    """What models outside the house took for them."""

    @property
    def usd(self) -> float:
        """Return the same in dollars."""
        return self.nano_usd / NANO

    def add(self, other: Used) -> None:
        """Add what else was used."""
        self.requests += other.requests
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.nano_usd += other.nano_usd


@dataclass(frozen=True)
class Limit:
    """What may be spent in a calendar month, in UTC."""

    app: str | None
    """None: by all applications together."""
    nano_usd: int


def nano(usd: float) -> int:
    """Return dollars as they are counted."""
    return round(usd * NANO)


def day_of(at_s: float) -> str:
    """Return the day of a time."""
    return time.strftime("%Y-%m-%d", time.gmtime(at_s))


def month_of(day: str) -> str:
    """Return the first day of a day's month."""
    return f"{day[:7]}-01"


def next_month(day: str) -> str:
    """Return the first day of the month after a day's."""
    year, month = int(day[:4]), int(day[5:7])
    return f"{year + month // 12}-{month % 12 + 1:02}-01"
