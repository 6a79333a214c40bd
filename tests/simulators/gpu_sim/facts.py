"""What a simulation is made of: engines, requests, how they ended, the turns on the GPU."""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from synapse_arbiter.policy.queue import Priority


@dataclass(frozen=True, slots=True)
class Engine:
    """One model's engine: how long it takes to sleep and to wake, how much it runs at once."""

    sleep_s: float = 0.0
    wake_s: float = 2.0
    capacity: int = 16


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request: when it arrives, for whom, how long its answer takes."""

    at_s: float
    model: str
    service_s: float
    client: int | None = None
    priority: Priority = Priority.INTERACTIVE
    patience_s: float = inf  # its client leaves after this long, answered or not


class Served(NamedTuple):
    """The end of a request; `admitted_s` is None for one that left while it waited."""

    request: Request
    admitted_s: float | None
    ended_s: float


@dataclass(slots=True)
class Residency:
    """One turn of a model: its switch, its time awake, its drain."""

    model: str
    clock_s: float  # the model's clock when it came in, infinity when nobody waited any more
    moving_s: float  # when the transition began that made it resident
    since_s: float
    closed_s: float = inf  # when its gate closed for the last time
    left_s: float = inf  # when the next transition began
