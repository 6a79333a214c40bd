"""Compare two recordings of one version, but for what a table explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from vllm_recorder.recording import Answer

_ABSENT = "(absent)"


@dataclass(frozen=True)
class Explained:
    """A difference with its reason: in these cases, at this path, both patterns.

    It covers single values of one type; a `free` one covers lists and objects too.
    """

    path: str
    reason: str
    case: str = "*"
    free: bool = False

    def covers(self, case: str, path: str, recorded: Any, simulated: Any) -> bool:
        """Tell whether this is the reason for a difference."""
        if not (fnmatchcase(case, self.case) and fnmatchcase(path, self.path)):
            return False
        if self.free:
            return True
        nested = isinstance(recorded, dict | list) or isinstance(simulated, dict | list)
        return not nested and _kind(recorded) == _kind(simulated)


@dataclass(frozen=True)
class Difference:
    """What differs at a path of an answer, and what explains it, if anything does."""

    path: str
    recorded: Any
    simulated: Any
    explained: Explained | None

    def __str__(self) -> str:
        """Show both."""
        return f"{self.path}: recorded {self.recorded!r}, simulated {self.simulated!r}"


def differences(
    case: str, recorded: Answer, simulated: Answer, table: Sequence[Explained]
) -> list[Difference]:
    """List what differs; of an answer that was cut only its beginning is compared."""
    if recorded.get("cut") and not simulated.get("cut"):
        recorded, simulated = _beginnings(recorded, simulated)
    return list(_compare(case, "", recorded, simulated, table))


def _compare(
    case: str, path: str, recorded: Any, simulated: Any, table: Sequence[Explained]
) -> Iterator[Difference]:
    if recorded == simulated and type(recorded) is type(simulated):
        return
    for explained in table:
        if explained.covers(case, path, recorded, simulated):
            yield Difference(path, recorded, simulated, explained)
            return
    if isinstance(recorded, dict) and isinstance(simulated, dict):
        for key in dict.fromkeys([*recorded, *simulated]):
            yield from _compare(
                case,
                f"{path}.{key}" if path else key,
                recorded.get(key, _ABSENT),
                simulated.get(key, _ABSENT),
                table,
            )
    elif isinstance(recorded, list) and isinstance(simulated, list):
        for place in range(max(len(recorded), len(simulated))):
            pair = [each[place] if place < len(each) else _ABSENT for each in (recorded, simulated)]
            yield from _compare(case, f"{path}.{place}", pair[0], pair[1], table)
    else:
        yield Difference(path, recorded, simulated, None)


def _beginnings(recorded: Answer, simulated: Answer) -> tuple[Answer, Answer]:
    """Keep of both what the recording has."""
    known = {key: value for key, value in recorded.items() if key != "cut"}
    whole = dict(simulated)
    if "events" in known and "events" in whole:
        whole["events"] = whole["events"][: len(known["events"])]
    if "metrics" in known and "metrics" in whole:
        shared = known["metrics"].keys() & whole["metrics"].keys()
        for each in (known, whole):
            each["metrics"] = {name: each["metrics"][name] for name in sorted(shared)}
    return known, whole


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None or value is _ABSENT:
        return str(value)
    return "number" if isinstance(value, int | float) else type(value).__name__
