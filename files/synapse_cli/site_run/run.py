"""Go through the phases: one line each, a way to go on where one fails, and the end in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from synapse_cli.cluster import ClusterError
from synapse_cli.site_run.output import changes, failure
from synapse_cli.site_run.phases import ANSWER, Phase, allowing
from synapse_cli.site_run.running import clock


class Runner(Protocol):
    """What runs a phase's command."""

    def run(self, lead: str, command: Sequence[str]) -> tuple[int, list[str]]:
        """Return the status and the lines of the output."""
        ...


class Answering(Protocol):
    """What asks the deployed gateway."""

    def answer(self) -> str:
        """Return what was answered, in a sentence; raise ClusterError where nobody answered."""
        ...

    def told(self) -> list[str]:
        """Return what there is to know at the end."""
        ...


class PhaseError(Exception):
    """A phase failed; the text is the last that was said of it."""


class SiteRun:
    """One run through the phases."""

    def __init__(
        self,
        phases: Sequence[Phase],
        runner: Runner,
        ending: Answering,
        agreed: Callable[[str], bool],
        all_agreed: bool,
        log: Path,
        say: Callable[[str], None],
    ) -> None:
        """Take what it works with; `all_agreed`: nobody is asked."""
        self._phases = phases
        self._runner = runner
        self._ending = ending
        self._agreed = agreed
        self._all_agreed = all_agreed
        self._log = log
        self._say = say
        self._failed: list[str] = []

    def go(self, begin: str) -> int:
        """Go through the phases, from `begin` on where it is named; return the exit status."""
        names = [phase.name for phase in self._phases]
        if begin and begin not in names:
            self._say(f"FROM={begin}: there is no such phase; take {', '.join(names)}.")
            return 1
        began = time.monotonic()
        for phase in self._phases[names.index(begin) if begin else 0 :]:
            try:
                self._do(phase)
            except KeyboardInterrupt:
                self._say(f"\nStopped in phase {phase.name}. Nothing is lost: downloads that began")
                self._say(f"in the cluster go on there. Go on: make site FROM={phase.name}")
                return 130
            except (PhaseError, ClusterError) as fault:
                self._say(f"\n{fault}\n\nAll that was said: {self._log}")
                if not phase.goes_on:
                    self._say(f"Go on, once that is mended: make site FROM={phase.name}")
                    return 1
                self._failed.append(phase.name)
        return self._end(time.monotonic() - began)

    def _do(self, phase: Phase) -> None:
        lead = self._lead(phase)
        began = time.monotonic()
        if phase.skipped:
            self._say(f"{lead}    -    {phase.skipped}")
            return
        told = self._ending.answer() if phase.name == ANSWER else self._run(phase, lead)
        self._say(f"{lead} {clock(time.monotonic() - began):>6}  {told}")

    def _lead(self, phase: Phase) -> str:
        number = self._phases.index(phase) + 1
        return f"[{number}/{len(self._phases)}] {phase.name:<8}"

    def _run(self, phase: Phase, lead: str) -> str:
        """Run a phase's command, again with what is agreed to where it stops for a consent."""
        allowed = list(phase.consents) if self._all_agreed else []
        while True:
            status, lines = self._runner.run(lead, allowing(phase, allowed))
            if not status:
                for line in lines:
                    if phase.shows and line.startswith(phase.shows):
                        self._say(line.removeprefix(phase.shows).removeprefix(" "))
                return _told(phase, lines)
            why = "\n".join(failure(lines))
            asked = [name for name in phase.consents if name in why and name not in allowed]
            if not asked:
                raise PhaseError(f"{lead} failed: {phase.what}.\n{why}")
            self._say(f"{lead} stopped:\n{why}\n")
            if not all(self._agreed(phase.consents[name]) for name in asked):
                raise PhaseError(f"Not done. YES=1 agrees to all that {phase.name} may ask.")
            allowed += asked

    def _end(self, took_s: float) -> int:
        self._say("")
        for line in self._ending.told():
            self._say(line)
        if self._failed:
            names = ", ".join(self._failed)
            self._say(f"\nNot all is there after {clock(took_s)}: {names} failed, see above.")
            self._say(f"Once that is mended: make site FROM={self._failed[0]}")
            return 1
        self._say(f"\nAll phases took {clock(took_s)}.")
        return 0


def _told(phase: Phase, lines: list[str]) -> str:
    number = changes(lines)
    if number is None:
        return lines[-1].strip() if lines else phase.what
    if phase.shows:
        return f"{phase.what}: no fault"
    return f"{phase.what}: " + ("nothing to do" if not number else f"{number} changes")
