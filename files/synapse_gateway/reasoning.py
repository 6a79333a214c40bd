"""How clients say whether and how long a model thinks, and how each engine is told: one table.

vLLM 0.33 makes `enable_thinking` of an effort by itself, but only its templates' switch turns
thinking off in every dialect; a template without one takes no notice. Its messages know a budget,
never an effort, from `thinking`. LiteLLM makes OpenAI's effort of what it is told in any dialect,
of Anthropic's `output_config.effort` beside adaptive thinking alone. Ollama has one field for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from synapse_common.engines import Dialect

Fields = dict[str, Any]
Place = tuple[str, ...]
"""A field of a body, or a key of an object in it."""
Speaker = Literal["straight", "outside", "native"]
"""Who is told: vLLM itself, LiteLLM or a provider, Ollama's native API."""

EFFORT: Place = ("reasoning_effort",)
REASONING: Place = ("reasoning", "effort")
CONFIG: Place = ("output_config", "effort")
THINKING: Place = ("thinking", "type")
THOUGHT: Place = ("thinking",)
"""All of it: its budget says something of its own."""
THINK: Place = ("think",)
SWITCH: Place = ("chat_template_kwargs", "enable_thinking")
BUDGET: Place = ("thinking_token_budget",)
TEMPLATES: tuple[Place, ...] = tuple(
    ("chat_template_kwargs", name)
    for name in (
        "thinking", "reasoning_effort", "thinking_effort", "thinking_budget", "reasoning_budget",
        "low_effort",
    )
)  # fmt: skip
"""What some models' templates call it."""
WISHES = (EFFORT, REASONING, THOUGHT, CONFIG, THINK, SWITCH, BUDGET, *TEMPLATES)
"""Where clients say it: chat, responses, messages twice, Ollama, vLLM's own. A budget of 0 is no
thinking; `include_reasoning` is none of them, it says what is shown of it."""


@dataclass(frozen=True)
class Reasoning:
    """What a name adds about thinking."""

    thinking: bool | None
    effort: str | None

    @property
    def thinks(self) -> bool:
        """Say whether the model shall think; how long implies that it does."""
        return bool(self.thinking or self.effort)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what a client is told where a model cannot follow; not thinking anyone can."""
        told = {"thinking": self.thinking, "effort": self.effort}
        return tuple(f"preset.{name}" for name, value in told.items() if value)


@dataclass(frozen=True)
class Tells:
    """How one engine is told in one dialect; the effort is written last."""

    switch: Place
    on: Any
    off: Any
    effort: Place


def _template(effort: Place) -> Tells:
    return Tells(SWITCH, on=True, off=False, effort=effort)


TOLD: Mapping[Speaker, Mapping[Dialect, Tells]] = {
    "straight": {
        "chat": _template(EFFORT),
        "responses": _template(REASONING),
        "messages": _template(CONFIG),
        "count_tokens": _template(CONFIG),
    },
    "outside": {
        "chat": Tells(EFFORT, on="medium", off="none", effort=EFFORT),
        "responses": Tells(REASONING, on="medium", off="none", effort=REASONING),
        "messages": Tells(THINKING, on="adaptive", off="disabled", effort=CONFIG),
    },
    "native": {"native": Tells(THINK, on=True, off=False, effort=THINK)},
}


def told(fields: Fields, speaker: Speaker, dialect: Dialect, wish: Reasoning) -> Fields:
    """Return a body that says it as well; where there is no way to, as it was."""
    way = TOLD[speaker].get(dialect)
    if way is None:
        return fields
    fields = _with(fields, way.switch, way.on if wish.thinks else way.off)
    return _with(fields, way.effort, wish.effort) if wish.effort else fields


def wishes(fields: Mapping[str, Any]) -> list[Place]:
    """Return where a client says it."""
    return [place for place in WISHES if _at(fields, place) is not None]


def efforts(fields: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a client says of it that a model must be able to follow."""
    return (_at(fields, place) for place in (EFFORT, REASONING, THINKING, THINK, SWITCH))


def without(fields: Fields, places: list[Place]) -> Fields:
    """Return a body that says nothing at these places."""
    fields = dict(fields)
    for place in places:
        first, *inner = place
        holder = fields.pop(first)
        if inner:
            left = {key: value for key, value in holder.items() if key not in inner}
            fields |= {first: left} if left else {}
    return fields


def name(place: Place) -> str:
    """Return a place as a client knows it."""
    return ".".join(place)


def _at(fields: Mapping[str, Any], place: Place) -> Any:
    first, *inner = place
    value = fields.get(first)
    for key in inner:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _with(fields: Fields, place: Place, value: Any) -> Fields:
    first, *inner = place
    if not inner:
        return {**fields, first: value}
    holder = fields.get(first) or {}
    if not isinstance(holder, Mapping):
        return fields  # the engine refuses it by its name
    return {**fields, first: {**holder, inner[0]: value}}
