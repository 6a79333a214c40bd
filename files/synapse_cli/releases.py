"""What git and the changelog say about versions of Synapse."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synapse_cli.version import age

TAG = re.compile(r"v(\d+\.\d+\.\d+)")
SECTION = re.compile(r"^## (?P<version>\S+)[^\n]*\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class ReleaseError(Exception):
    """A version can't be gone to; the text says why and what to do."""


@dataclass(frozen=True)
class Checkout:
    """Where a checkout stands: a tag, a branch or a commit."""

    root: Path

    def git(self, *words: str) -> str:
        """What git prints; raise ReleaseError with git's own words when it fails."""
        run = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True)  # noqa: S603, S607  (words of our own)
        if run.returncode:
            said = run.stderr.strip()
            raise ReleaseError(f"git {' '.join(words)} failed: {said}")
        return run.stdout.strip()

    def here(self) -> str:
        """What leads back to where the checkout stands now, best a tag, else a branch or commit."""
        tags = [one for one in self.git("tag", "--points-at", "HEAD").split() if TAG.fullmatch(one)]
        branch = self.git("branch", "--show-current")
        return tags[0] if tags else branch or self.git("rev-parse", "HEAD")

    def must_be_clean(self) -> None:
        """Raise ReleaseError naming the tracked files that differ from what was committed."""
        changed = self.git("status", "--porcelain", "--untracked-files=no")
        if changed:
            raise ReleaseError(
                f"Files of Synapse itself are changed here:\n{changed}\n"
                "Commit them, or put them aside with git stash; a site's own files are not meant."
            )

    def fetch_tags(self) -> str:
        """Fetch the remote's tags where there is a remote; say in a sentence what was done."""
        if not self.git("remote"):
            return "There is no remote; the tags of this checkout are all there are."
        try:
            self.git("fetch", "--quiet", "--tags")
        except ReleaseError as fault:
            return f"The remote's newest tags are unknown, going on with those here. {fault}"
        return "The remote's tags are here."

    def version_of(self, tag: str) -> str:
        """The version of a tag; raise ReleaseError naming the tags that there are."""
        tags = [one for one in self.git("tag", "--list", "v*").split() if TAG.fullmatch(one)]
        if tag not in tags:
            there = ", ".join(sorted(tags, key=lambda one: age(one[1:]))) or "none yet"
            raise ReleaseError(f"There is no version {tag or '(TO=... is missing)'}: {there}.")
        return tag.removeprefix("v")

    def changelog(self, commit: str) -> str:
        """The changelog as it was committed."""
        return self.git("show", f"{commit}:CHANGELOG.md")


def between(changelog: str, older: str, newer: str) -> Sequence[str]:
    """The changelog's sections of all versions after `older`, up to and with `newer`."""
    sections = ((found["version"], found[0].strip()) for found in SECTION.finditer(changelog))
    return [text for version, text in sections if age(older) < age(version) <= age(newer)]
