"""One condition that was looked at: a line of `make doctor`, or a reason why a role stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal["this machine", "site", "server", "gpu", "cluster"]
Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """What was looked at, where, what was seen, and the remedy: a sentence, empty when all is well.

    `note` is what a person may want to change and nothing waits for; `wrong` stops a deployment
    unless it `goes_on`: then a role mends it, or it is not in the way yet.
    """

    place: Place
    what: str
    seen: str
    remedy: str = ""
    is_note: bool = False
    goes_on: bool = False

    @property
    def level(self) -> Level:
        """Return how much it matters."""
        if not self.remedy:
            return "ok"
        return "note" if self.is_note else "wrong"

    @property
    def stops(self) -> bool:
        """Say whether a deployment waits until somebody has mended it."""
        return self.level == "wrong" and not self.goes_on
