"""`make upgrade TO=v0.2.0`: go to another version of Synapse, and back by the same command.

The checkout under this program changes while it runs. All it needs is loaded before (so nothing
is imported inside a function here); the rest is done by commands of the version just checked out.
"""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from synapse_cli.changes import Changes, compare
from synapse_cli.releases import TAG, Checkout, ReleaseError, between
from synapse_cli.rendered import objects
from synapse_cli.version import ROOT, age, shipped_version

Runner = Callable[[Sequence[str]], int]
STEPS = 8


class StepError(Exception):
    """A step did not work; the text names it."""


FAULTS = (ReleaseError, StepError, KeyboardInterrupt)


def told(fault: BaseException) -> str:
    """What to say of a fault; one that says nothing is Ctrl-C."""
    return str(fault) or "Stopped."


def run_here(command: Sequence[str]) -> int:
    """Run a command in the checkout, its output to be seen; return its exit status."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603  (words of our own)


def new_folder(root: Path) -> Path:
    """A new folder outside of git, for its owner alone, named after the site and the time."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    site = (root / "inventory/current").resolve().name
    folder = state / "synapse/backups" / site / f"{datetime.now():%Y-%m-%dT%H-%M-%S.%f}"
    folder.mkdir(mode=0o700, parents=True)
    return folder


@dataclass
class Upgrade:
    """One way from the version that is checked out to another."""

    tag: str
    run: Runner
    agreed: Callable[[str], bool]
    say: Callable[[str], None]
    root: Path = ROOT

    def __post_init__(self) -> None:
        """Remember where the way begins."""
        self._checkout = Checkout(self.root)
        self._before = ""
        self._done = 0

    @property
    def _back(self) -> str:
        """The command that leads back."""
        if TAG.fullmatch(self._before):
            return f"make upgrade TO={self._before}"
        return f"git checkout {self._before} && make deploy"

    def go(self) -> int:
        """Take all steps; return the exit status after saying what state things are in."""
        try:
            self._prepare()
        except FAULTS as fault:
            self.say(f"{told(fault)}\nNothing was changed, neither here nor in the cluster.")
            return 1
        try:
            self._try_out()
        except FAULTS as fault:
            self.say(told(fault))
            return self._return()
        return self._deploy()

    def _prepare(self) -> None:
        """All that is done before anything changes."""
        self._step("Looking at this checkout and its versions")
        self._checkout.must_be_clean()
        self.say(self._checkout.fetch_tags())
        new, old = self._checkout.version_of(self.tag), shipped_version(self.root)
        self._before = self._checkout.here()
        if self._before == self.tag:
            raise ReleaseError(f"{self.tag} is what is checked out; make deploy deploys it.")
        self.say(self._told(old, new))
        self._step(f"Rendering this site with {old}, to compare")
        self._make("render")
        self._rendered = objects(self.root / ".render")
        self._folder = new_folder(self.root)
        keys = self._folder / "keys.yml"
        self._step(f"Saving the keys to {keys}")
        self._make("export-keys", f"FILE={keys}")

    def _told(self, old: str, new: str) -> str:
        """What the changelog says of the way, upwards or back."""
        if age(new) >= age(old):
            sections = between(self._checkout.changelog(self.tag), old, new)
            return "\n\n".join([f"What is new from {old} to {new}:", *sections, ""])
        sections = between(self._checkout.changelog("HEAD"), new, old)
        return "\n\n".join([f"What goes away from {old} back to {new}:", *sections, ""])

    def _try_out(self) -> None:
        """All that happens here before the cluster changes."""
        self._step(f"Checking out {self.tag} and setting up its tools")
        self._checkout.git("checkout", "--quiet", self.tag)
        self._make("setup")
        self._step(f"Rendering this site with {self.tag}")
        self._make("render")
        self._show(compare(self._rendered, objects(self.root / ".render")))
        self._step("Asking the cluster what would change (make check)")
        self._make("check")
        if not self.agreed(f"Deploy {self.tag} now?"):
            raise StepError("Not deployed.")

    def _show(self, changes: Changes) -> None:
        file = self._folder / "changes.diff"
        file.write_text(changes.diff, encoding="utf-8")
        self.say("\n".join(["What changes for this site:", *changes.summary()]))
        self.say(f"All of it: {file}")

    def _return(self) -> int:
        """Go back to the version before; the cluster has seen nothing of the new one."""
        try:
            self._checkout.git("checkout", "--quiet", self._before)
            self._make("setup")
        except FAULTS as fault:
            self.say(f"{told(fault)}\nNothing was changed in the cluster, but the way back failed.")
            self.say(f"Back: git checkout {self._before} && make setup")
            return 1
        self.say(
            f"Nothing was changed in the cluster; {self._before} is checked out again. "
            f"Try again: make upgrade TO={self.tag}"
        )
        return 1

    def _deploy(self) -> int:
        """Deploy and look; from here on it is the operator who decides to go back."""
        try:
            self._step(f"Deploying {self.tag}")
            self._make("deploy")
        except FAULTS as fault:
            self.say(
                f"{told(fault)}\n{self.tag} is checked out, and deployed in part at most: "
                "make test-health shows which version runs.\n"
                f"Go on, once the cause is mended: make deploy\nBack: {self._back}"
            )
            return 1
        try:
            self._step("Looking at its health")
            self._make("test-health")
        except FAULTS:
            self.say(
                f"{self.tag} is deployed, and not all of it is well: the table above says what."
            )
            self.say(f"Look again: make test-health\nBack: {self._back}")
            return 1
        self.say(f"{self.tag} is deployed. The keys are in {self._folder}.\nBack: {self._back}")
        return 0

    def _step(self, what: str) -> None:
        self._done += 1
        self.say(f"[{self._done}/{STEPS}] {what} ...")

    def _make(self, target: str, *words: str) -> None:
        if self.run(["make", target, *words]):
            raise StepError(f"make {target} failed; the lines above say why.")
