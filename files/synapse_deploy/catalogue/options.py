"""What a site may set of each role: the options that its argument_specs name, with their ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import yaml
from pydantic import Field

from synapse_arbiter.config import Gpu
from synapse_arbiter.config import Settings as ArbiterSettings
from synapse_common.strict import Count, Port, Positive

ROOT = Path(__file__).parents[3]
WIRING = ROOT / "group_vars/all/wiring.yml"
DEFAULTS = ROOT / "group_vars/all/defaults.yml"

Spec = Mapping[str, Any]

PLAIN: dict[str, Any] = {"str": str, "path": str, "bool": bool, "raw": Any}
# What a service reads itself: it knows best what it takes.
READERS: dict[str, Any] = {
    f"arbiter_{name}": Annotated[
        info.annotation, Field(json_schema_extra=info.json_schema_extra), *info.metadata
    ]
    for name, info in (ArbiterSettings.model_fields | Gpu.model_fields).items()
    if name in ("rules", "limits", "vram_source")
}
# Numbers of these may be 0: nothing is kept free, added or waited for.
MAY_BE_ZERO = ("ollama_reserve_gib", "speech_reserve_gib", "vllm_overhead_gib", "vllm_wait_s")
NOT_NEGATIVE = Annotated[float, Field(ge=0)]
COUNT_OR_NONE = Annotated[int, Field(ge=0)]
# Set by a task of the role itself, not by a user.
REGISTERED = ("host_facts_found", "host_looked_at", "kube_objects_result")
# Passed by the roles that call this one, whatever a site says.
PASSED = (
    "kube_objects_component", "kube_objects_namespace", "kube_objects_templates",
    "kube_objects_generated_secrets",
)  # fmt: skip


@cache
def roles() -> dict[str, dict[str, Spec]]:
    """Return each role's options, as its argument_specs describe them."""
    found = {}
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        role = path.parents[1].name
        specs = yaml.safe_load(path.read_text())["argument_specs"]["main"]["options"]
        found[role] = {name: spec for name, spec in specs.items() if name.startswith(f"{role}_")}
    return found


@dataclass(frozen=True)
class Fact:
    """A fact of a site: its default, and the comment above it in defaults.yml."""

    default: Any
    comment: str


@cache
def facts() -> dict[str, Fact]:
    """Return every fact of a site by its name."""
    text = DEFAULTS.read_text()
    values = yaml.safe_load(text)
    found, comment = dict[str, Fact](), list[str]()
    for line in text.splitlines():
        if line.startswith("#"):
            comment.append(line.lstrip("# "))
        elif (name := line.partition(":")[0]) in values:
            found[name] = Fact(values[name], " ".join(comment))
        elif not line:
            comment = []
    return found


@cache
def defaults() -> dict[str, Any]:
    """Return what the roles' defaults say of each option; templates as they are written."""
    texts = [path.read_text() for path in sorted(ROOT.glob("roles/*/defaults/main.yml"))]
    return {name: value for text in texts for name, value in yaml.safe_load(text).items()}


@cache
def wiring() -> dict[str, Any]:
    """Return what wiring.yml sets, as it is written there."""
    return dict(yaml.safe_load(WIRING.read_text()))


def is_image(name: str) -> bool:
    """Tell whether an option is an image, which versions.yml names and a site may replace."""
    return name.endswith("_image") and name in wiring()


def wired() -> frozenset[str]:
    """Return the options that wiring.yml sets from the site's facts and lists."""
    return frozenset(name for name in wiring() if not is_image(name))


def specs() -> dict[str, Spec]:
    """Return every role's options together."""
    return {name: spec for options in roles().values() for name, spec in options.items()}


def own() -> dict[str, Spec]:
    """Return the options that a site may set: those that nothing else sets."""
    return {
        name: spec for name, spec in specs().items() if name not in wired() and name not in PASSED
    }


def field(name: str, spec: Spec) -> tuple[Any, Any]:
    """Return an option's type with its range, and its description and default."""
    default = wiring()[name] if is_image(name) else defaults().get(name, spec.get("default"))
    kind: Any = READERS.get(name) or _type(name, spec)
    if "choices" in spec:
        kind = Literal[tuple(spec["choices"])]
    if default is None:
        kind = Optional[kind]  # noqa: UP045  # made at run time
    return kind, Field(default, description=spec["description"], validate_default=False)


def _type(name: str, spec: Spec) -> Any:
    match spec["type"]:
        case "int":
            if name in MAY_BE_ZERO:
                return COUNT_OR_NONE
            return Port if "_port" in name else Count
        case "float":
            return NOT_NEGATIVE if name in MAY_BE_ZERO else Positive
        case "list":
            inner: Any = _type(name, {"type": spec["elements"]})
            return Annotated[tuple[inner, ...], Field(strict=False)]
        case "dict":
            return dict[str, Any]
        case plain:
            return PLAIN[plain]


def plain(value: Any, spec: Spec) -> Any:
    """Return what Ansible makes of a value given as text, as `-e name=value` gives it."""
    if not isinstance(value, str) or spec["type"] in ("str", "path"):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value
