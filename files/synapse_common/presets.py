"""What a name may add to the requests that ask for it, and what no model could follow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from synapse_common.engines import Kind
from synapse_common.place import Path
from synapse_common.strict import Count, Strict, Text

KIND: Kind = "chat"
SECTIONS = ("parameters", "fixed")
"""What counts unless the client says otherwise, and what always counts."""
REASONING = ("thinking", "effort")


class Parameters(Strict):
    """What a name adds to requests; None: nothing."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=None, description="how freely it chooses its words"
    )
    system: Text | None = Field(
        default=None,
        description="instructions before the conversation; a client's own follow a fixed text, and "
        "take the place of any other",
    )
    thinking: bool | None = Field(default=None, description="whether it thinks before it answers")
    effort: Literal["low", "medium", "high"] | None = Field(
        default=None, description="how long it thinks; counts as thinking: true"
    )
    max_output_tokens: Count | None = Field(
        default=None, description="tokens of an answer, thinking included; fixed: at most so many"
    )

    @property
    def given(self) -> dict[str, Any]:
        """Return what is said, by name."""
        return self.model_dump(exclude_none=True)


@dataclass(frozen=True)
class Target:
    """The model behind a name, as far as it limits what the name may add."""

    name: str
    kind: Any
    capabilities: Collection[str] | None
    """None: nobody knows them."""
    context: Any


def given(entry: Mapping[str, Any], section: str) -> dict[str, Any]:
    """Return what an entry says in a section, whatever else stands there."""
    told = entry.get(section)
    known = told if isinstance(told, Mapping) else {}
    return {key: known[key] for key in Parameters.model_fields if known.get(key) is not None}


def followed(entry: Mapping[str, Any], target: Target) -> dict[str, dict[str, Any]]:
    """Return the sections with what this model can follow; one without anything is left out."""
    unfollowed = {path for path, _ in _unfollowed(entry, target)}
    found = {
        section: {
            key: value for key, value in given(entry, section).items()
            if not unfollowed & {(section,), (section, key)}
        }
        for section in SECTIONS
    }  # fmt: skip
    return {section: told for section, told in found.items() if told}


def faults(entry: Mapping[str, Any], target: Target) -> Iterator[tuple[Path, str]]:
    """Yield the place within an entry, and what is wrong there."""
    told = {section: given(entry, section) for section in SECTIONS}
    for key in told["parameters"].keys() & told["fixed"].keys():
        yield ("fixed", key), "stands in parameters too; keep one of them"
    if any(one.get("thinking") is False for one in told.values()):
        for section in SECTIONS:
            if "effort" in told[section]:
                yield (
                    (section, "effort"),
                    "belongs to a model that thinks; take thinking: false out",
                )
    yield from _unfollowed(entry, target)


def _unfollowed(entry: Mapping[str, Any], target: Target) -> Iterator[tuple[Path, str]]:
    """Yield what this model cannot follow, and why."""
    for section in SECTIONS:
        told = given(entry, section)
        if told and target.kind != KIND:
            yield (
                (section,),
                f'only models of kind {KIND} follow them; "{target.name}" is of kind '
                f"{target.kind}; take them out",
            )
            continue
        limit, context = told.get("max_output_tokens"), target.context
        if isinstance(limit, int) and isinstance(context, int) and limit >= context:
            text = f'must be less than the context of "{target.name}", {context}, not {limit}'
            yield (section, "max_output_tokens"), text
        if target.capabilities is None or "reasoning" in target.capabilities:
            continue
        for key in REASONING:
            if key in told:
                yield (
                    (section, key),
                    f'needs a model that reasons; by its entry "{target.name}" does not',
                )
