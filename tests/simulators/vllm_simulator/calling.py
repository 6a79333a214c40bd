"""Which tool an answer calls, and with which arguments: demanded ones, or one that is dictated."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_FUNCTION = re.compile(r"<function=([^>]+)>")
_PARAMETER = re.compile(r"<parameter=([^>]+)>\n(.*?)\n</parameter>", re.DOTALL)
# A key with what stands around it, then words and what is between them.
_PIECES = re.compile(r'[{,]\s*"[^"]+":\s*"?|\w+|\W+')
_OF_TYPE: dict[str, Any] = {"number": 1, "integer": 1, "boolean": True, "array": [], "object": {}}


@dataclass(frozen=True)
class Call:
    """A tool with its arguments as JSON; `written`: in the model's own words, to be parsed."""

    name: str
    arguments: str
    written: bool = False

    @property
    def pieces(self) -> list[str]:
        """Cut the arguments as tokens would be."""
        return _PIECES.findall(self.arguments)


def demanded(tools: Sequence[Mapping[str, Any]], choice: Any) -> Call | None:
    """Call the tool that has to be called, if one has to be."""
    functions = [tool["function"] for tool in tools]
    if isinstance(choice, Mapping):
        functions = [each for each in functions if each["name"] == choice["function"]["name"]]
    elif choice != "required":
        return None
    first = functions[0]
    return Call(first["name"], json.dumps(_arguments(first.get("parameters") or {})))


def dictated(text: str | None) -> Call | None:
    """Read the call that a text is, in the words of Qwen3's models."""
    name = _FUNCTION.search(text or "")
    if text is None or name is None:
        return None
    return Call(name[1], json.dumps(dict(_PARAMETER.findall(text))), written=True)


def fitting(schema: Mapping[str, Any]) -> str:
    """Write the simplest JSON object that fits a schema."""
    return json.dumps(_arguments(schema))


def _arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(each) for name, each in schema.get("properties", {}).items()}


def _value(schema: Mapping[str, Any]) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    return _OF_TYPE.get(str(schema.get("type")), "word")
