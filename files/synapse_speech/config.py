"""What the server speaks with, read once from its configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from synapse_common import reading
from synapse_common.engines import METRICS_PORT
from synapse_common.faults import SeveralError
from synapse_common.strict import Count, Listed, Port, Positive, Strict, Text
from synapse_common.words import suggest

ConfigError = reading.ConfigError

Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][\w.-]{0,63}$",
        json_schema_extra={"hint": "a name for a voice, such as alloy"},
    ),
]
Voice = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][\w.-]*(#[0-9]+)?$",
        json_schema_extra={"hint": "a voice of Piper, such as en_US-lessac-medium"},
    ),
]


class Settings(Strict):
    """Numbers that the role sets; each has its unit in its name."""

    port: Port = 8000
    """Where the gateway asks."""
    metrics_port: Port = METRICS_PORT
    """Where Prometheus asks, who reaches nothing else there."""
    workers: Count = 2
    """Sentences that are spoken at the same time."""
    threads: Count = 2
    """Processor threads that one sentence is spoken with."""
    requests_at_once: Count = 64
    """Requests that are held, speaking or waiting for their turn; further ones are refused. An
    application holds at most as many as it leaves free."""
    input_characters: Count = 20_000
    """The longest text that is spoken."""
    drain_timeout_s: Positive = 30.0
    """How long requests in flight may go on when the server is stopped."""


class WrittenModel(Strict):
    """A model as it is written; a voice is `name` or `name#3`, 3 being its speaker."""

    what: ClassVar[str] = "model"

    name: Text
    voices: Annotated[dict[Name, Voice], Field(min_length=1)]
    default: Text | None = None
    """The voice for clients that name none; without it the first one."""

    @model_validator(mode="after")
    def _has_its_default(self) -> WrittenModel:
        if self.default is not None and self.default not in self.voices:
            text = f'"{self.default}" is none of its voices{suggest(self.default, self.voices)}'
            raise SeveralError([(("default",), text)])
        return self


class Written(Strict):
    """The configuration file."""

    folder: Text
    """Where the voices lie."""
    models: Annotated[Listed[WrittenModel], Field(min_length=1)]
    settings: Settings = Settings()


@dataclass(frozen=True)
class Speaker:
    """Who speaks when a client names a voice."""

    voice: str
    """A voice of Piper, such as en_US-lessac-medium: its two files have this name."""
    speaker: int | None = None
    """Which speaker of a voice that has several."""


@dataclass(frozen=True)
class Model:
    """One model of the catalogue: names that clients use, each with its speaker."""

    name: str
    voices: Mapping[str, Speaker]
    default: str
    """The voice for clients that name none."""

    def speaker(self, name: str) -> Speaker | None:
        """Return who speaks under this name: one from the catalogue, or Piper's own.

        Large letters count only where two names differ in nothing else.
        """
        own = {speaker.voice: Speaker(speaker.voice) for speaker in self.voices.values()}
        known = own | dict(self.voices)
        alike = {key.lower(): speaker for key, speaker in known.items()}
        return known.get(name) or alike.get(name.lower())


@dataclass(frozen=True)
class Config:
    """The whole configuration, checked."""

    folder: Path
    """Where the voices lie."""
    models: Mapping[str, Model]
    settings: Settings = field(default_factory=Settings)

    @property
    def voices(self) -> list[str]:
        """Return every voice of Piper that is in use."""
        speakers = (who for model in self.models.values() for who in model.voices.values())
        return sorted({speaker.voice for speaker in speakers})


def load(path: Path) -> Config:
    """Read and check the file; raise ConfigError with every fault found."""
    return build(reading.load(path))


def build(raw: object) -> Config:
    """Make the configuration from plain data; raise ConfigError with every fault found."""
    written = reading.read(Written, raw)
    models = {model.name: _model(model) for model in written.models}
    return Config(Path(written.folder), models, written.settings)


def files(folder: Path, voice: str) -> tuple[Path, Path]:
    """Return the files of a voice: its model and what is to be known of it."""
    return folder / f"{voice}.onnx", folder / f"{voice}.onnx.json"


def _model(written: WrittenModel) -> Model:
    """Take a model's voices apart."""
    voices = {}
    for name, text in written.voices.items():
        voice, _, number = text.partition("#")
        voices[name] = Speaker(voice, int(number) if number else None)
    return Model(written.name, voices, written.default or next(iter(voices)))
