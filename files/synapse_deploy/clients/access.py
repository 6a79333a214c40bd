"""What one application has: an address, a key, and the names that it may ask for by kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_common.engines import Kind
from synapse_deploy.catalogue.entries import ALL_MODELS, TASKS_MODEL
from synapse_deploy.catalogue.permission import names_of, permitted

Entry = Mapping[str, Any]

# What a client asks for first, where the application may; else the first name of that kind.
USUAL: Mapping[str, tuple[str, ...]] = {
    "chat": ("chat", "assistant"),
    "embedding": ("embed",),
    "rerank": ("rerank",),
    "transcription": ("whisper-1",),
    "speech": ("tts-1",),
}
CODING = "code"
VOICE = "alloy"
"""The voice that most clients ask for unless they are told another."""


class AccessError(Exception):
    """An application lacks what a client needs; the text says what and what to do."""


@dataclass(frozen=True)
class Name:
    """One name that may be asked for, and what is known of the model behind it."""

    name: str
    kind: Kind
    context: int | None = None
    """Tokens that a request and its answer may have together; None: not known."""
    capabilities: tuple[str, ...] | None = None
    """None: nobody knows."""
    voices: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def may(self, capability: str) -> bool:
        """Say whether it can do this, or may be able to; that it sees must be known."""
        if self.capabilities is None:
            return capability != "vision"
        return capability in self.capabilities


@dataclass(frozen=True)
class Tasks:
    """The application for what a client does in the background, of priority batch."""

    app: str
    key: str
    names: tuple[str, ...]
    """Chat names that it may ask for."""


@dataclass(frozen=True)
class Access:
    """One application and what its client has to know."""

    app: str
    url: str
    """Where the gateway is, without /v1, such as http://forge:8000."""
    key: str
    """The key, or what stands for it where the client runs, such as $(KEY)."""
    named: tuple[Name, ...]
    """The names that its entry has and it may ask for, in that order; of "*" all, aliases first."""
    listed: tuple[Name, ...]
    """Those that its list of models shows."""
    tasks: Tasks | None = None
    """None: no application is for this one's tasks."""
    voice_port: int | None = None
    """Where Home Assistant's bridge listens on the same host; None: there is none."""

    @property
    def openai_url(self) -> str:
        """Return the address as clients of OpenAI want it."""
        return f"{self.url}/v1"

    @property
    def chats(self) -> tuple[Name, ...]:
        """Return the chat names that its list shows; of a list without any, all it may use."""
        return _of("chat", self.listed) or _of("chat", self.named)

    @property
    def chat(self) -> Name:
        """Return the chat name to begin with; raise AccessError where there is none."""
        if found := self.first("chat"):
            return found
        raise AccessError(
            f"{self.app} may use no chat model, which this client needs: add one, such as chat, "
            "to its models in apps.yml, then run make deploy-gateway."
        )

    @property
    def coding(self) -> Name:
        """Return the chat name for code: `code` where the application may, else the usual one."""
        return next((one for one in self.chats if one.name == CODING), self.chat)

    @property
    def task_name(self) -> str | None:
        """Return the chat name for small tasks with this application's own key, if it may."""
        found = (one.name for one in _of("chat", self.named) if one.name == TASKS_MODEL)
        return next(found, None)

    @property
    def listed_are_chats(self) -> bool:
        """Say whether its list of models shows chat models alone."""
        return bool(self.listed) and all(one.kind == "chat" for one in self.listed)

    def first(self, kind: Kind) -> Name | None:
        """Return the name to ask for one kind of work; None: it may not."""
        return _first(kind, self.chats if kind == "chat" else _of(kind, self.named))

    @property
    def voice(self) -> str:
        """Return a voice of its speech model."""
        speech = self.first("speech")
        voices = speech.voices if speech else ()
        return VOICE if VOICE in voices or not voices else voices[0]


def access(
    app: str,
    models: Iterable[Entry],
    aliases: Iterable[Entry],
    apps: Iterable[Entry],
    url: str,
    keys: Mapping[str, str],
    voice_port: int | None = None,
) -> Access:
    """Return what an application has, of a resolved catalogue or the gateway's configuration.

    `leaves` of a model is true where requests to it leave the house. `keys` holds the keys by
    application, its own and that of its tasks application.
    """
    every = {one["name"]: one for one in apps}
    if app not in every:
        there = ", ".join(sorted(every)) or "none"
        raise AccessError(
            f'There is no application "{app}"; there are: {there}. Add it to apps.yml, '
            "then run make deploy-gateway."
        )
    by_model, by_alias = ({one["name"]: one for one in some} for some in (models, aliases))
    outside = {name for name, model in by_model.items() if model.get("leaves")}
    known = _known(by_model, by_alias)

    def may(one: Entry) -> set[str]:
        return permitted(one, by_model, by_alias, outside)

    entry, of_tasks = every[app], next(iter(apps_of(every, app)), None)
    tasks = None
    if of_tasks is not None:
        names = _of("chat", _named(names_of(of_tasks), known, may(of_tasks)))
        told = tuple(one.name for one in names)
        tasks = Tasks(of_tasks["name"], keys[of_tasks["name"]], told) if told else None
    named = _named(names_of(entry), known, may(entry))
    listed = _named(entry.get("lists") or names_of(entry), known, may(entry))
    return Access(app, url.rstrip("/"), keys[app], named, listed, tasks, voice_port)


def apps_of(apps: Mapping[str, Entry], app: str) -> list[Entry]:
    """Return the applications for the tasks of this one."""
    return [one for one in apps.values() if one.get("tasks_of") == app]


def _known(models: Mapping[str, Entry], aliases: Mapping[str, Entry]) -> dict[str, Name]:
    """Return every name that is served, aliases first."""
    pairs = [(name, models.get(one["model"])) for name, one in aliases.items()]
    pairs += list(models.items())
    return {name: _name(name, model) for name, model in pairs if model is not None}


def _name(name: str, model: Entry) -> Name:
    able = model.get("capabilities")
    return Name(
        name,
        model["kind"],
        model.get("context"),
        None if able is None else tuple(able),
        tuple(model.get("voices") or ()),
        tuple(model.get("languages") or ()),
    )


def _named(
    names: Iterable[str], known: Mapping[str, Name], may: Collection[str]
) -> tuple[Name, ...]:
    given = list(names)
    wanted = known if ALL_MODELS in given else given
    return tuple(known[name] for name in wanted if name in known and name in may)


def _of(kind: str, names: Iterable[Name]) -> tuple[Name, ...]:
    return tuple(one for one in names if one.kind == kind)


def _first(kind: str, names: Iterable[Name]) -> Name | None:
    found = {one.name: one for one in names}
    usual = (found[name] for name in USUAL[kind] if name in found)
    return next(usual, next(iter(found.values()), None))
