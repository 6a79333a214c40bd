"""Decide what has to happen so that Ollama serves the catalogue: pure functions, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

GIB = 1024**3
FILE_PREFIX = "file:"
# What Ollama knows of a model beside parameters.
TEXTS = ("template", "system")


@dataclass(frozen=True)
class Tag:
    """A model on the volume, as Ollama lists it."""

    digest: str
    size_bytes: int


@dataclass(frozen=True)
class FileStat:
    """A GGUF file on the node."""

    size_bytes: int
    modified: int


@dataclass(frozen=True)
class State:
    """What is there: Ollama's tags, our record of what each was made from, files, free space."""

    tags: Mapping[str, Tag] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, FileStat] = field(default_factory=dict)
    free_bytes: int | None = None

    def shown(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> State:
        """Return what `shown` has shown."""
        tags = {name: Tag(**tag) for name, tag in shown["tags"].items()}
        files = {name: FileStat(**stat) for name, stat in shown["files"].items()}
        return cls(tags, shown["record"], files, shown["free_bytes"])


@dataclass(frozen=True)
class Install:
    """Make one model: pull its source where needed, then create it under its catalogue name."""

    name: str
    source: str
    settings: Mapping[str, Any]
    fingerprint: Mapping[str, Any]
    pull: bool = False
    need_bytes: int = 0
    why: str = "is new"

    @property
    def file(self) -> str | None:
        """The GGUF file it comes from, if it comes from one."""
        return self.source[len(FILE_PREFIX) :] if self.source.startswith(FILE_PREFIX) else None

    def __str__(self) -> str:
        """Say what will be done and why."""
        verb = "pull and create" if self.pull else "create"
        return f"{verb} {self.name} from {self.source} ({self.why})"


@dataclass(frozen=True)
class Remove:
    """Delete a model that the catalogue does not name."""

    name: str
    size_bytes: int

    def __str__(self) -> str:
        """Say what will be removed."""
        return f"remove {self.name} ({self.size_bytes / GIB:.1f} GiB), not in the catalogue"


Action = Install | Remove


def full_name(name: str) -> str:
    """Return a model name with its tag, the way Ollama lists it."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def settings_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a catalogue entry wants baked into its model: parameters, template, system."""
    given = dict(entry["engine_args"])
    texts = {key: given.pop(key) for key in TEXTS if key in given}
    context = {"num_ctx": entry["context"]} if entry["context"] else {}
    return {"parameters": {**context, **given}, **texts}


def fingerprint_of(entry: Mapping[str, Any], state: State) -> dict[str, Any]:
    """Return what a model is made from; another fingerprint means another model."""
    found = {"source": entry["source"], **settings_of(entry)}
    if entry["source"].startswith(FILE_PREFIX):
        stat = state.files.get(entry["source"][len(FILE_PREFIX) :])
        found["file"] = [stat.size_bytes, stat.modified] if stat else None
    return found


def plan(entries: Iterable[Mapping[str, Any]], state: State, *, prune: bool) -> list[Action]:
    """Return the actions that are missing, in catalogue order; nothing to do is an empty list."""
    entries = list(entries)
    actions: list[Action] = []
    for entry in entries:
        fingerprint = fingerprint_of(entry, state)
        why = _outdated(entry["name"], fingerprint, state)
        if why:
            actions.append(_install(entry, fingerprint, state, why))
    if prune:
        actions += [Remove(tag, size) for tag, size in extras(entries, state).items()]
    return actions


def _outdated(name: str, fingerprint: Mapping[str, Any], state: State) -> str | None:
    tag, known = state.tags.get(full_name(name)), state.record.get(name)
    if tag is None:
        return "is missing"
    if known is None:
        return "was not made by a deployment"
    if known["digest"] != tag.digest:
        return "was changed by hand"
    before = known["fingerprint"]
    changed = [key for key in {**before, **fingerprint} if before.get(key) != fingerprint.get(key)]
    return f"{' and '.join(changed)} changed" if changed else None


def _install(
    entry: Mapping[str, Any], fingerprint: Mapping[str, Any], state: State, why: str
) -> Install:
    name, source = entry["name"], entry["source"]
    from_file = source.startswith(FILE_PREFIX)
    there = full_name(source) in state.tags and full_name(source) != full_name(name)
    pull = not from_file and not there
    need = int((entry["disk_gib"] or 0) * GIB) if pull else 0
    if from_file and fingerprint["file"]:
        need = fingerprint["file"][0]
    return Install(name, source, settings_of(entry), fingerprint, pull, need, why)


def extras(entries: Iterable[Mapping[str, Any]], state: State) -> dict[str, int]:
    """Return the tags that are neither in the catalogue nor the source of an entry, with sizes."""
    keep = {full_name(entry[key]) for entry in entries for key in ("name", "source")}
    return {tag: found.size_bytes for tag, found in state.tags.items() if tag not in keep}
