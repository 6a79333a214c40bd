"""What can go wrong, by name: each fault can be switched on and off while the engine runs."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = dict[str, float]


@dataclass(frozen=True)
class Kind:
    """One sort of fault: what it does, and its parameters with their defaults."""

    meaning: str
    parameters: Mapping[str, float]


_DEATH = {"health": 503.0, "keeps_memory": 0.0, "exits_after_s": -1.0}
_DEATH_TEXT = (
    "health: the status /health then answers; keeps_memory 1: the dead process holds on to its "
    "memory; exits_after_s: the server follows after so long, -1 never."
)

KINDS: dict[str, Kind] = {
    "sleep_frees_nothing": Kind("/sleep answers 200 and the memory stays mapped.", {}),
    "sleep_fails": Kind(
        "/sleep fails as if memory use had grown meanwhile; the memory is freed.", {}
    ),
    "sleep_slow": Kind("/sleep takes so many seconds more.", {"seconds": 5}),
    "sleep_hangs": Kind("/sleep never answers and never sleeps.", {}),
    "sleep_kills": Kind(f"/sleep answers 200 and the engine dies. {_DEATH_TEXT}", _DEATH),
    "wake_slow": Kind("/wake_up takes so many seconds more.", {"seconds": 5}),
    "wake_hangs": Kind("/wake_up never answers and never wakes.", {}),
    "wake_out_of_memory": Kind("/wake_up fails when this share is mapped.", {"mapped_share": 0.5}),
    "wake_stays_asleep": Kind("/wake_up answers 200 and wakes nothing.", {}),
    "wake_kills": Kind(f"/wake_up answers 200 and the engine dies. {_DEATH_TEXT}", _DEATH),
    "leak": Kind("Every sleep leaves so much more memory behind.", {"gib": 0.5}),
    "garbage": Kind("Answers are garbage.", {}),
    "garbage_after": Kind("Answers are garbage from this sleep on.", {"cycles": 3}),
    "dead": Kind(f"The engine dies now. {_DEATH_TEXT}", _DEATH),
    "core_hangs": Kind(
        "The engine's core stands still until this is switched off: /health stays 200, /metrics "
        "answers, requests and control calls hang.",
        {},
    ),
    "core_dies": Kind(
        "The engine's core is killed now. Requests end with an error after error_after_s, the "
        "process after exits_after_s; but if a control call is unanswered, that call hangs for "
        "ever, the port closes after closes_after_s and the process stays, deaf to SIGTERM.",
        {"error_after_s": 0.4, "exits_after_s": 2, "closes_after_s": 1},
    ),
    "generation_hangs": Kind("Requests are accepted and never answered; all else is well.", {}),
    "generation_fails": Kind("Every request ends with a 500; /health stays 200.", {}),
    "abort_answers": Kind("Answers end early with finish_reason abort.", {"after_tokens": 3}),
    "truncate_answers": Kind(
        "Answers break off without [DONE]; reset 1: the connection breaks, 0: it ends cleanly.",
        {"after_tokens": 3, "reset": 0},
    ),
    "metrics_away": Kind("/metrics drops the connection.", {}),
    "vram_away": Kind("/vram drops the connection.", {}),
    "vram_hog": Kind("A foreign process takes so much of the GPU.", {"gib": 4}),
    "restart": Kind("The server goes away now and boots again.", {}),
    "exit": Kind("The process ends now, as if killed.", {"code": 137}),
}


class UnknownFaultError(ValueError):
    """A request names faults or parameters that do not exist; the text lists all of them."""


def problems(wanted: Mapping[str, Any]) -> list[str]:
    """Describe every unknown name and every value that is not a number."""
    found = []
    for name, given in wanted.items():
        kind = KINDS.get(name)
        if kind is None:
            found.append(f"{name}: no such fault; there are {', '.join(KINDS)}.")
            continue
        allowed = {*kind.parameters, "times"}
        for key, value in (given or {}).items():
            if key not in allowed:
                found.append(
                    f"{name}: has no parameter {key}; it takes {', '.join(sorted(allowed))}."
                )
            elif isinstance(value, bool) or not isinstance(value, int | float):
                found.append(f"{name}.{key}: is {value!r}, give a number.")
    return found


class Faults:
    """The faults that are on, how often each may still strike, and how often it did."""

    def __init__(self) -> None:
        """Start with none."""
        self._active: dict[str, Parameters] = {}
        self._listeners: list[Callable[[str, Parameters | None], None]] = []
        self.strikes: Counter[str] = Counter()

    def on_change(self, listener: Callable[[str, Parameters | None], None]) -> None:
        """Call `listener` with name and parameters (None = off) whenever a fault is switched."""
        self._listeners.append(listener)

    def switch_on(self, wanted: Mapping[str, Mapping[str, float] | None]) -> None:
        """Switch faults on; `times` limits how often one strikes. All or none take effect."""
        found = problems(wanted)
        if found:
            raise UnknownFaultError(" ".join(found))
        for name, given in wanted.items():
            self._active[name] = {**KINDS[name].parameters, **(given or {})}
            self._tell(name, self._active[name])

    def switch_off(self, name: str | None = None) -> None:
        """Switch one fault off, or all."""
        for gone in [name] if name else list(self._active):
            if self._active.pop(gone, None) is not None:
                self._tell(gone, None)

    def active(self) -> dict[str, Parameters]:
        """Name the faults that are on, with their parameters."""
        return {name: dict(parameters) for name, parameters in self._active.items()}

    def strike(self, name: str) -> Parameters | None:
        """Let a fault strike once if it is on: count it and return its parameters."""
        parameters = self._active.get(name)
        if parameters is None:
            return None
        self.strikes[name] += 1
        if "times" in parameters:
            parameters["times"] -= 1
            if parameters["times"] <= 0:
                self.switch_off(name)
        return parameters

    def hits(self, name: str) -> bool:
        """Let a fault without parameters strike once; tell whether it was on."""
        return self.strike(name) is not None

    def _tell(self, name: str, parameters: Parameters | None) -> None:
        for listener in self._listeners:
            listener(name, parameters)
