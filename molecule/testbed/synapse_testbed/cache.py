"""The cache of built things: whole or absent, built once, shared by every checkout of the user.

An artefact is a folder `<root>/<name>/<key>`, the key being a hash of all its inputs. It is filled
under another name and renamed when it is on disk, so an interrupted build leaves nothing that
looks like a result. One lock file per key lets a single process build and the others wait.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from synapse_testbed.commands import TestbedError, say

POLL_S = 0.2
VERSIONS_KEPT = 3
# Of what changed, no more than a line holds.
NAMED = 3


@dataclass(frozen=True)
class Recipe:
    """How to make one artefact: `build` fills an empty folder, `inputs` are all that decides it."""

    name: str
    inputs: Mapping[str, str]
    build: Callable[[Path], None]
    limit_s: float = 1800

    @property
    def key(self) -> str:
        """Name of this version of the artefact."""
        return hashlib.sha256(json.dumps(self._fingerprints()).encode()).hexdigest()[:16]

    def _fingerprints(self) -> dict[str, str]:
        return {
            name: hashlib.sha256(text.encode()).hexdigest()[:12]
            for name, text in sorted(self.inputs.items())
        }

    def describe(self) -> str:
        """Return the inputs' fingerprints as the text kept beside the artefact."""
        return json.dumps(self._fingerprints(), indent=2)


class Cache:
    """Artefacts below one folder; what `obtain` returned stays at least until the cache is left."""

    def __init__(self, root: Path, tell: Callable[[str], None] = say) -> None:
        """Use (and make, when needed) the cache at `root`, telling of each step."""
        self._root = root
        self._tell = tell
        self._held: list[int] = []

    def __enter__(self) -> Self:
        """Use the cache."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let newer versions replace what was obtained here."""
        while self._held:
            os.close(self._held.pop())

    def obtain(self, recipe: Recipe) -> Path:
        """Return the artefact's folder, building it first when it is not there."""
        home = self._root / recipe.name
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / f".{recipe.key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._held.append(lock)
        artefact = home / recipe.key
        self._wait(lock, fcntl.LOCK_SH, recipe)
        if not artefact.is_dir():
            self._wait(lock, fcntl.LOCK_EX, recipe)
            if not artefact.is_dir():
                self._build(recipe, artefact)
            fcntl.flock(lock, fcntl.LOCK_SH)
        os.utime(artefact)
        return artefact

    def _wait(self, lock: int, how: int, recipe: Recipe) -> None:
        deadline = time.monotonic() + recipe.limit_s
        told = False
        while True:
            try:
                return fcntl.flock(lock, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TestbedError(
                        f"{recipe.name}: another build has not ended within "
                        f"{recipe.limit_s / 60:.0f} min; end it, then try again"
                    ) from None
            if not told:
                told = True
                limit = f"limit {recipe.limit_s / 60:.0f} min"
                self._tell(f"{recipe.name}: another build is making it, waiting ({limit})")
            time.sleep(POLL_S)

    def _build(self, recipe: Recipe, artefact: Path) -> None:
        partial = artefact.with_name(f".{recipe.key}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        self._tell(f"{recipe.name}: building ({self._reason(recipe, artefact.parent)}) ...")
        began = time.monotonic()
        try:
            recipe.build(partial)
            (partial / "inputs.json").write_text(recipe.describe())
            _flush(partial)
            partial.rename(artefact)
            _flush(artefact.parent, deep=False)
        except BaseException:
            self._tell(f"{recipe.name}: failed after {time.monotonic() - began:.0f} s")
            raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._tell(f"{recipe.name}: built in {time.monotonic() - began:.0f} s")
        _remove_older(artefact.parent)

    def _reason(self, recipe: Recipe, home: Path) -> str:
        known = sorted(home.glob("*/inputs.json"), key=lambda file: file.stat().st_mtime)
        if not known:
            return "not in the cache yet"
        was = json.loads(known[-1].read_text())
        now = json.loads(recipe.describe())
        new = sorted(name for name in was | now if was.get(name) != now.get(name))
        more = f" and {len(new) - NAMED} more" if len(new) > NAMED else ""
        return f"changed since the last build: {', '.join(new[:NAMED])}{more}"


def _flush(folder: Path, *, deep: bool = True) -> None:
    paths = [folder, *(folder.rglob("*") if deep else ())]
    for path in paths:
        if path.is_symlink():
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_older(home: Path) -> None:
    """Remove all but the versions used last; checkouts at different commits keep theirs."""
    versions = [path for path in home.iterdir() if not path.name.startswith(".")]
    versions.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for version in versions[VERSIONS_KEPT:]:
        lock = os.open(version.with_name(f".{version.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(version)
        except BlockingIOError:
            pass  # A running process uses it; a later build removes it.
        finally:
            os.close(lock)
