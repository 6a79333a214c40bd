"""The fetcher itself: looks what is missing, brings it, and looks again, for as long as it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_ollama.board import Board
from synapse_ollama.ollama import Ollama, OllamaError
from synapse_ollama.order import ordered
from synapse_ollama.plan import GIB, extras, plan
from synapse_ollama.reconcile import Limits, Reconciler

UNANSWERED_PAUSE_S = 2.0
"""An Ollama that does not answer most likely starts just now."""
FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 1800.0


@dataclass(frozen=True)
class Wanted:
    """What the deployment wants of the fetcher."""

    models: tuple[Mapping[str, Any], ...]
    prune: bool
    limits: Limits

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Wanted:
        """Read the configuration."""
        limits = Limits(
            reserve_bytes=int(told["reserve_gib"] * GIB),
            stall_s=told["stall_s"],
            insecure_registries=tuple(told["insecure_registries"]),
        )
        return cls(tuple(told["models"]), told["prune"], limits)


class Fetcher:
    """Brings the volume to what is wanted, again and again."""

    def __init__(
        self, ollama: Ollama, wanted: Wanted, board: Board, say: Callable[[str], None]
    ) -> None:
        """Take what it works with; nothing is asked yet."""
        self._ollama = ollama
        self._wanted = wanted
        self._board = board
        self._say = say
        self._failures = 0
        self._shown_why = ""

    def once(self) -> float:
        """Look and bring what is missing; return how long to rest until the next look."""
        try:
            state = self._ollama.state()
        except OllamaError as error:
            return self._unanswered(str(error))
        self._shown_why = ""
        models = self._wanted.models
        actions = ordered(plan(models, state, prune=self._wanted.prune), models)
        self._board.looked(models, actions, state)
        if not self._wanted.prune:
            self._mention(extras(models, state))
        limits, record = self._wanted.limits, dict(state.record)
        outcome = Reconciler(self._ollama, record, limits, self._board, self._say).run(actions)
        self._failures = self._failures + 1 if outcome.failed else 0
        pause_s = LONGEST_PAUSE_S
        if outcome.failed:
            pause_s = min(FIRST_PAUSE_S * 2 ** (self._failures - 1), LONGEST_PAUSE_S)
            self._say(f"{len(outcome.failed)} failed; tried again in {pause_s:.0f} s")
        self._board.rests(pause_s)
        return pause_s

    def _unanswered(self, why: str) -> float:
        if why != self._shown_why:
            self._say(f"waiting for Ollama: {why}")
            self._shown_why = why
        self._board.rests(UNANSWERED_PAUSE_S, why)
        return UNANSWERED_PAUSE_S

    def _mention(self, unnamed: Mapping[str, int]) -> None:
        for tag, size in unnamed.items():
            self._say(
                f"{tag} ({size / GIB:.1f} GiB) is not in the catalogue; "
                "ollama_prune_models: true removes it"
            )
