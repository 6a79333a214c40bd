"""Read one configuration file strictly, or say everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from synapse_common.faults import Fault, fault, faults
from synapse_common.place import Path as Place
from synapse_common.references import references
from synapse_common.strict import Strict

Model = TypeVar("Model", bound=Strict)
Rule = Callable[[Any], Iterator[tuple[Place, str]]]
"""What holds between entries: yields the place of each fault and what is wrong with it there."""


class ConfigError(Exception):
    """Every fault of one configuration, one sentence each."""

    def __init__(self, found: Iterable[Fault]) -> None:
        """Keep the faults one by one."""
        self.found = tuple(found)
        self.faults = [one.text for one in self.found]
        super().__init__("\n".join(self.faults))


def load(path: Path) -> Any:
    """Return what a YAML file says; raise ConfigError where there is none or it is no YAML."""
    try:
        return yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError([Fault((), f"{path}: cannot be read: {error.strerror}")]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([Fault((), f"{path}: is not valid YAML: {error}")]) from error


def read(model: type[Model], data: object, *rules: Rule) -> Model:
    """Return the data as the model; raise ConfigError with every fault, the rules' too."""
    found: list[Fault] = []
    try:
        made = model.model_validate(data)
    except ValidationError as error:
        found += faults(error, model, data)
    found += references(model, data)
    found += [fault(path, text, model, data) for rule in rules for path, text in rule(data)]
    if found:
        raise ConfigError(found)
    return made


def named(data: object, key: str) -> list[tuple[str, Place, Mapping[str, Any]]]:
    """Return name, place and entry of all that is sound so far in a list, for rules."""
    return [
        (entry["name"], (key, number), entry)
        for number, entry in enumerate(_list(data, key))
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
    ]


def texts(entry: object, key: str) -> list[tuple[int, str]]:
    """Return the texts of a list in an entry with their numbers, for rules."""
    return [
        (number, item) for number, item in enumerate(_list(entry, key)) if isinstance(item, str)
    ]


def _list(data: object, key: str) -> list[Any]:
    value = data.get(key) if isinstance(data, Mapping) else None
    return list(value) if isinstance(value, list | tuple) else []
