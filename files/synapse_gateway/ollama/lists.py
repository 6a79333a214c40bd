"""The gateway's models as Ollama lists its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from synapse_common.engines import EngineName, Kind

VERSION = "0.24.0"
"""The release of Ollama whose API this package follows; clients ask whether it is new enough."""
LONG_AGO = "1970-01-01T00:00:00Z"
"""When a model was changed: not known here."""
NEVER = "2262-04-11T23:47:16Z"
"""When a model leaves memory that stays: as late as Ollama can write."""
KINDS = ("chat", "embedding")
CAPABILITIES = {"vision": "vision", "tools": "tools", "reasoning": "thinking"}
"""What the catalogue says of a model, and what Ollama calls it."""
PARAMETERS = {"temperature": "temperature", "max_output_tokens": "num_predict"}
"""What a name may add to requests, and what Ollama calls it."""
_ARCHITECTURE = "synapse"


class Entry(Protocol):
    """A model of the catalogue, as far as it is listed."""

    @property
    def kind(self) -> Kind:
        """What it is for."""

    @property
    def engine(self) -> EngineName:
        """What serves it."""

    @property
    def context(self) -> int | None:
        """How many tokens it reads and writes; None: not known."""

    @property
    def capabilities(self) -> Sequence[str] | None:
        """What it can do beyond text; None: nobody knows."""


def tags(models: Mapping[str, Entry]) -> dict[str, Any]:
    """Return the list of models, by the names that a client may ask for."""
    return {"models": [_listed(name, model) for name, model in _served(models)]}


def ps(awake: Mapping[str, Entry]) -> dict[str, Any]:
    """Return the list of the models in memory."""
    more = {"expires_at": NEVER, "size_vram": 0}
    return {
        "models": [
            {key: value for key, value in _listed(name, model).items() if key != "modified_at"}
            | more
            | {"context_length": model.context or 0}
            for name, model in _served(awake)
        ]
    }


def show(model: Entry, adds: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of one model, and of what its name adds to requests."""
    info: dict[str, Any] = {"general.architecture": _ARCHITECTURE}
    if model.context:
        info[f"{_ARCHITECTURE}.context_length"] = model.context
    parameters = [("num_ctx", model.context)]
    parameters += [(name, adds.get(key)) for key, name in PARAMETERS.items()]
    able = ["embedding" if model.kind == "embedding" else "completion"]
    able += [CAPABILITIES[one] for one in model.capabilities or () if one in CAPABILITIES]
    return {
        "modelfile": "",
        "parameters": "\n".join(
            f"{name} {value}" for name, value in parameters if value is not None
        ),
        "template": "",
        "details": _details(model),
        "model_info": info,
        "capabilities": able,
        "modified_at": LONG_AGO,
    }


def version() -> dict[str, str]:
    """Return the version, as the API of which this counts."""
    return {"version": VERSION}


def bare(name: str) -> str:
    """Return a model's name without the tag that Ollama's clients add to one without."""
    return name.removesuffix(":latest")


def _served(models: Mapping[str, Entry]) -> list[tuple[str, Entry]]:
    return sorted((name, model) for name, model in models.items() if model.kind in KINDS)


def _listed(name: str, model: Entry) -> dict[str, Any]:
    # Clients tell models apart by it; the files themselves are not looked at.
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {
        "name": name,
        "model": name,
        "modified_at": LONG_AGO,
        "size": 0,
        "digest": digest,
        "details": _details(model),
    }


def _details(model: Entry) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "",
        "family": model.engine,
        "families": [model.engine],
        "parameter_size": "",
        "quantization_level": "",
    }
