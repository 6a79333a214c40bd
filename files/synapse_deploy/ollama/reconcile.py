"""Carry out a plan: one model's failure never stops the others, and all are reported at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from synapse_deploy.ollama.client import Ollama, OllamaError
from synapse_deploy.ollama.plan import (
    GIB,
    Action,
    Install,
    Remove,
    full_name,
    modelfile,
)
from synapse_deploy.ollama.progress import PullError, PullProgress


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
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the record as it is now; it grows with every model that is made."""
        self._ollama = ollama
        self._record = dict(record)
        self._limits = limits
        self._say = say
        self._clock = clock

    def run(self, actions: Iterable[Action]) -> Outcome:
        """Carry out every action and collect what happened."""
        outcome = Outcome()
        for action in actions:
            self._say(str(action))
            try:
                outcome.done.append(self._carry_out(action))
            except (OllamaError, PullError) as error:
                subject = action.tag if isinstance(action, Remove) else action.name
                outcome.failed.append(f"model {subject}: {_task(action)}: {error}")
                self._say(outcome.failed[-1])
        return outcome

    def _carry_out(self, action: Action) -> str:
        if isinstance(action, Remove):
            return self._remove(action)
        if action.file is not None:
            self._create_from_file(action, action.file)
        else:
            if action.pull:
                self._pull(action)
            self._ollama.create(action.name, action.source, action.settings)
        self._remember(action)
        return str(action)

    def _pull(self, action: Install) -> None:
        room = self._room(action.need_bytes)
        say = self._say

        def speak(text: str) -> None:
            say(f"{action.name}: pulling {action.source}: {text}")

        progress = PullProgress(speak, self._clock, room, self._limits.stall_s)
        insecure = action.source.partition("/")[0] in self._limits.insecure_registries
        pulling = self._ollama.pull(action.source, insecure=insecure, stall_s=self._limits.stall_s)
        last: dict[str, Any] = {}
        for last in pulling:
            progress.feed(last)
        if last.get("status") != "success":
            raise OllamaError("the download broke off before its end; run again to continue it")

    def _create_from_file(self, action: Install, file: str) -> None:
        if not action.fingerprint["file"]:
            raise OllamaError(f"there is no {file} in the folder synapse_model_files_path")
        self._room(action.need_bytes)
        path = f"{self._ollama.files}/{file}"
        self._ollama.create_from(action.name, modelfile(path, action.settings))

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
        digest = self._ollama.tags()[full_name(action.name)].digest
        self._record[action.name] = {"fingerprint": dict(action.fingerprint), "digest": digest}
        self._ollama.remember(self._record)

    def _remove(self, action: Remove) -> str:
        before = self._ollama.free_bytes()
        self._ollama.delete(action.tag)
        reclaimed = (self._ollama.free_bytes() - before) / GIB
        self._say(f"{action.tag}: {reclaimed:.2f} GiB are free again")
        if self._record.pop(action.tag.removesuffix(":latest"), None):
            self._ollama.remember(self._record)
        return str(action)


def _task(action: Action) -> str:
    if isinstance(action, Remove):
        return "cannot be removed"
    return f"cannot {'pull' if action.pull else 'create it from'} {action.source}"
