"""Carry out a plan: one model's failure never stops the others, and each is told why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from synapse_ollama.board import Board
from synapse_ollama.ollama import Ollama, OllamaError
from synapse_ollama.plan import GIB, Action, Install, Remove, full_name
from synapse_ollama.progress import Progress, PullError, PullProgress

MEASURED_BYTES = GIB
"""A rate that less was fetched at says little of the rest."""


@dataclass(frozen=True)
class Limits:
    """What a pull may take and where it may come from."""

    reserve_bytes: int = 0
    stall_s: float = 300.0
    insecure_registries: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What was done and what was not, as sentences."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Reconciler:
    """Works through the actions of a plan, one at a time."""

    def __init__(
        self,
        ollama: Ollama,
        record: dict[str, Any],
        limits: Limits,
        board: Board,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the record as it is now; it grows with every model that is made."""
        self._ollama = ollama
        self._record = dict(record)
        self._limits = limits
        self._board = board
        self._say = say
        self._clock = clock

    def run(self, actions: Iterable[Action]) -> Outcome:
        """Carry out every action and collect what happened."""
        outcome = Outcome()
        for action in actions:
            self._say(str(action))
            try:
                self._carry_out(action)
                outcome.done.append(str(action))
            except (OllamaError, PullError, OSError) as error:
                outcome.failed.append(self._failed(action, error))
        return outcome

    def _failed(self, action: Action, error: Exception) -> str:
        reason = f"{_task(action)}: {error}"
        self._board.failed(action.name, reason)
        told = f"model {action.name}: {reason}"
        self._say(told)
        return told

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, Remove):
            self._remove(action)
            return
        self._board.begins(action.name, pulling=action.pull)
        if action.file is not None:
            self._create_from_file(action, action.file)
        else:
            if action.pull:
                self._pull(action)
            self._ollama.create(action.name, action.source, action.settings)
        self._remember(action)

    def _pull(self, action: Install) -> None:
        room = self._room(action.need_bytes)

        def speak(text: str) -> None:
            self._say(f"{action.name}: pulling {action.source}: {text}")

        progress = PullProgress(speak, self._clock, room, self._limits.stall_s)
        insecure = action.source.partition("/")[0] in self._limits.insecure_registries
        pulling = self._ollama.pull(action.source, insecure=insecure, stall_s=self._limits.stall_s)
        last: dict[str, Any] = {}
        for last in pulling:
            progress.feed(last)
            self._board.moves(action.name, progress.seen)
            self._measure(progress.seen, kept=False)
        self._measure(progress.seen, kept=True)
        if last.get("status") != "success":
            raise OllamaError(
                "the download broke off before its end; the next try goes on from there"
            )

    def _measure(self, seen: Progress, *, kept: bool) -> None:
        """Take over the rate of what has brought enough to tell."""
        if seen.fetched_bytes >= MEASURED_BYTES:
            self._board.rate_bytes_s = seen.rate_bytes_s
            if kept:
                self._ollama.keep_rate(seen.rate_bytes_s)

    def _create_from_file(self, action: Install, file: str) -> None:
        if not action.fingerprint["file"]:
            raise OllamaError(
                f"there is no {file} in the folder synapse_model_files_path, or the user 1000 may "
                "not look into it"
            )
        self._room(action.need_bytes)
        self._ollama.create_from(action.name, file, action.settings)

    def _room(self, need_bytes: int) -> int:
        """Return the bytes that may be added; raise OllamaError where `need_bytes` do not fit."""
        room = self._ollama.free_bytes() - self._limits.reserve_bytes
        if need_bytes > room:
            raise OllamaError(
                f"it needs {need_bytes / GIB:.1f} GiB, and {max(0, room) / GIB:.1f} GiB are free "
                "beside the reserve (ollama_reserve_gib)"
            )
        return room

    def _remember(self, action: Install) -> None:
        tag = self._ollama.tags().get(full_name(action.name))
        if tag is None:
            raise OllamaError("Ollama has made it and does not list it")
        self._record[action.name] = {"fingerprint": dict(action.fingerprint), "digest": tag.digest}
        self._ollama.remember(self._record)
        self._board.is_there(action.name, tag.size_bytes)

    def _remove(self, action: Remove) -> None:
        before = self._ollama.free_bytes()
        self._ollama.delete(action.name)
        reclaimed = (self._ollama.free_bytes() - before) / GIB
        self._say(f"{action.name}: {reclaimed:.2f} GiB are free again")
        if self._record.pop(action.name.removesuffix(":latest"), None):
            self._ollama.remember(self._record)
        self._board.is_gone(action.name)


def _task(action: Action) -> str:
    if isinstance(action, Remove):
        return "cannot be removed"
    return f"cannot {'pull' if action.pull else 'create it from'} {action.source}"
