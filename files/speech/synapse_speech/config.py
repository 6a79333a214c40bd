"""What the server speaks with, read once from its configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml


class ConfigError(Exception):
    """The configuration cannot be used; the text has one sentence per fault."""


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
        """Return who speaks under this name: one from the catalogue, or Piper's own."""
        own = {speaker.voice for speaker in self.voices.values()}
        return self.voices.get(name) or (Speaker(name) if name in own else None)


@dataclass(frozen=True)
class Settings:
    """Numbers that the role sets; each has its unit in its name."""

    port: int = 8000
    workers: int = 2
    """Sentences that are spoken at the same time."""
    threads: int = 2
    """Processor threads that one sentence is spoken with."""
    requests_at_once: int = 32
    """Requests that are held, speaking or waiting for their turn; further ones are refused."""
    input_characters: int = 20_000
    drain_timeout_s: float = 30.0


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
    try:
        raw = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return build(raw if isinstance(raw, dict) else {})


def build(raw: Mapping[str, Any]) -> Config:
    """Make the configuration from plain data; raise ConfigError with every fault found."""
    found: list[str] = []
    settings = raw.get("settings", {})
    known = {item.name for item in fields(Settings)}
    found += [f"settings: '{key}' is not known" for key in settings if key not in known]
    folder = Path(raw.get("folder", ""))
    models = {entry["name"]: _model(entry) for entry in raw.get("models", [])}
    if not models:
        found.append("models: there is none")
    for model in models.values():
        if model.default not in model.voices:
            found.append(f"model {model.name}: its default voice '{model.default}' is not listed")
    if found:
        raise ConfigError("\n".join(found))
    return Config(folder, models, Settings(**settings))


def files(folder: Path, voice: str) -> tuple[Path, Path]:
    """Return the files of a voice: its model and what is to be known of it."""
    return folder / f"{voice}.onnx", folder / f"{voice}.onnx.json"


def _model(raw: Mapping[str, Any]) -> Model:
    """Take a model apart; a voice is written as `name` or `name#3`, 3 being its speaker."""
    voices = {}
    for name, written in raw.get("voices", {}).items():
        voice, _, number = str(written).partition("#")
        voices[name] = Speaker(voice, int(number) if number.isdecimal() else None)
    return Model(raw["name"], voices, raw.get("default") or next(iter(voices), ""))
