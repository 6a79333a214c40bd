"""What a name adds to a request, written where the client's own dialect has it.

A preset's `parameters` count where the client says nothing, `fixed` always: of a limit, at most; of
a system text, before the client's own. Thinking and effort are one wish, and are written later, as
each model's engine wants to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_common.presets import Parameters
from synapse_gateway import errors, reasoning
from synapse_gateway.config import Alias
from synapse_gateway.reasoning import Reasoning

Fields = dict[str, Any]

SYSTEM = "system"
SYSTEMS = (SYSTEM, "developer")
BETWEEN = "\n\n"
"""Between two system texts."""


@dataclass(frozen=True)
class Form:
    """Where the requests of a route say what a preset may say too."""

    system: Callable[[Fields, str, bool], Fields] | None = None
    """Adds a text, which is fixed or a default."""
    limits: tuple[str, ...] = ()
    """The most tokens of an answer; the first is written where none is there. None: there is no
    answer, and no temperature of it."""
    within: str = ""
    """The field with limit and temperature; empty: the body itself."""


@dataclass(frozen=True)
class Applied:
    """A request's fields with what its name adds."""

    fields: Fields
    reasoning: Reasoning | None = None
    """What each model that can shall be told."""
    ignored: tuple[str, ...] = ()
    """What the client said, or the preset, and no engine is told of."""


def apply(path: str, fields: Fields, preset: Alias) -> Applied:
    """Return the fields of a request with what its name adds; raise Refusal if it cannot."""
    form = FORMS.get(path)
    if form is None:
        return Applied(fields)
    fixed, default = preset.fixed, preset.parameters
    is_raw = _is_raw(path, fields)
    if is_raw and (fixed.system or _reasons(fixed)):
        raise errors.raw_prompt(preset.name)
    ignored: list[str] = []
    fields = _with_numbers(form, fields, preset, ignored)
    if is_raw:
        told = Reasoning(default.thinking, default.effort).names
        ignored += (*told, "preset.system") if default.system else told
        return Applied(fields, None, tuple(ignored))
    if form.system and default.system:
        fields = form.system(fields, default.system, False)
    if form.system and fixed.system:
        fields = form.system(fields, fixed.system, True)
    wishes = reasoning.wishes(fields) if _reasons(fixed) or _reasons(default) else []
    if _reasons(fixed):
        _check_holders(fields)
        fields = reasoning.without(fields, wishes)
        ignored += map(reasoning.name, wishes)
    elif wishes or not _reasons(default):
        return Applied(fields, None, tuple(ignored))
    thinking = default.thinking if fixed.thinking is None else fixed.thinking
    wish = Reasoning(thinking, fixed.effort or default.effort)
    return Applied(fields, wish, tuple(ignored))


def _reasons(parameters: Parameters) -> bool:
    return parameters.thinking is not None or parameters.effort is not None


def _check_holders(fields: Mapping[str, Any]) -> None:
    """Raise Refusal where what is fixed could not be written beside the client's own."""
    for name in ("reasoning", "output_config"):
        if not isinstance(fields.get(name) or {}, Mapping):
            raise errors.malformed(f"'{name}' must be an object.", name)


def _is_raw(path: str, fields: Mapping[str, Any]) -> bool:
    """Say whether the prompt is text and nothing else: no template has a place for more."""
    if path == "/api/generate":
        return bool(fields.get("raw") or fields.get("suffix"))
    return path == "/v1/completions"


def _with_numbers(form: Form, fields: Fields, preset: Alias, ignored: list[str]) -> Fields:
    """Return the fields with temperature and limit; note the client's that do not count."""
    if not form.limits:
        return fields
    given = fields.get(form.within) or {} if form.within else fields
    if not isinstance(given, Mapping):
        return fields  # it is refused by its name
    found = dict(given)
    fixed, default = preset.fixed, preset.parameters
    before = f"{form.within}." if form.within else ""
    own = found.get("temperature")
    if fixed.temperature is not None:
        ignored += [f"{before}temperature"] if own not in (None, fixed.temperature) else []
        found["temperature"] = fixed.temperature
    elif default.temperature is not None and own is None:
        found["temperature"] = default.temperature
    asked = [name for name in form.limits if found.get(name) is not None]
    most = fixed.max_output_tokens
    for name in asked:
        if most is not None and isinstance(found[name], int) and not 0 < found[name] <= most:
            found[name] = most  # to Ollama 0 and less are no limit
            ignored.append(f"{before}{name}")
    if not asked and (least := most or default.max_output_tokens):
        found[form.limits[0]] = least
    return {**fields, form.within: found} if form.within else found


def _in_messages(fields: Fields, text: str, is_fixed: bool) -> Fields:
    given = fields.get("messages")
    if is_fixed and not (isinstance(given, list) and given):
        raise errors.malformed("'messages' must be a list with a message in it.", "messages")
    messages = _placed(given, text, is_fixed, "messages")
    return fields if messages is None else {**fields, "messages": messages}


def _in_messages_if_any(fields: Fields, text: str, is_fixed: bool) -> Fields:
    """Where a request without messages asks no model to answer."""
    return _in_messages(fields, text, is_fixed) if fields.get("messages") else fields


def _in_instructions(fields: Fields, text: str, is_fixed: bool) -> Fields:
    own, given = fields.get("instructions"), fields.get("input")
    if own:
        joined = _joined(text, own, "instructions", None) if is_fixed else own
        return {**fields, "instructions": joined}
    if isinstance(given, list) and any(map(_is_system, given)):
        placed = _placed(given, text, is_fixed, "input", "input_text")
        return fields if placed is None else {**fields, "input": placed}
    return {**fields, "instructions": text}


def _in_system(fields: Fields, text: str, is_fixed: bool, part: str | None = "text") -> Fields:
    own, given = fields.get("system"), fields.get("messages")
    inline = isinstance(given, list) and any(map(_is_system, given))
    if not is_fixed and (own or inline):
        return fields
    return {**fields, "system": _joined(text, own, "system", part)}


def _in_system_text(fields: Fields, text: str, is_fixed: bool) -> Fields:
    return _in_system(fields, text, is_fixed, None)


def _placed(
    given: Any, text: str, is_fixed: bool, name: str, part: str = "text"
) -> list[Any] | None:
    """Return messages that begin with a system text; many templates know one such message alone.

    It is of role system then, which every template knows. None: there is nothing to add, or no
    message to add it to.
    """
    if not isinstance(given, list) or not given or (any(map(_is_system, given)) and not is_fixed):
        return None
    first, *rest = given
    if _speaks_as_system(first):
        joined = _joined(text, first.get("content"), f"{name}[0].content", part)
        return [{**first, "role": SYSTEM, "content": joined}, *rest]
    return [{"role": SYSTEM, "content": text}, *given]


def _joined(text: str, own: Any, name: str, part: str | None) -> Any:
    """Return a system text with the client's own behind it, which may be of such parts, if any.

    Raises Refusal for what is neither: the text must not be lost.
    """
    if not own:
        return text
    if isinstance(own, str):
        return f"{text}{BETWEEN}{own}"
    if isinstance(own, list) and part:
        return [{"type": part, "text": f"{text}{BETWEEN}"}, *own]
    must = "a text or a list of parts" if part else "a text"
    raise errors.malformed(f"'{name}' must be {must}.", name)


def _is_system(message: Any) -> bool:
    return _speaks_as_system(message) and bool(message.get("content"))


def _speaks_as_system(message: Any) -> bool:
    """Say whether it is a message of that role; other items of a response have a type."""
    is_one = isinstance(message, Mapping) and message.get("type") in (None, "message")
    return is_one and _role(message) in SYSTEMS


def _role(message: Mapping[str, Any]) -> str:
    return str(message.get("role")).lower()  # as Ollama reads it


FORMS: Mapping[str, Form] = {
    "/v1/chat/completions": Form(_in_messages, ("max_tokens", "max_completion_tokens")),
    "/v1/completions": Form(limits=("max_tokens",)),
    "/v1/responses": Form(_in_instructions, ("max_output_tokens",)),
    "/v1/messages": Form(_in_system, ("max_tokens",)),
    "/v1/messages/count_tokens": Form(_in_system),
    "/tokenize": Form(_in_messages_if_any),
    "/api/chat": Form(_in_messages_if_any, ("num_predict",), "options"),
    "/api/generate": Form(_in_system_text, ("num_predict",), "options"),
}
