"""Tools: offered, demanded, named, forbidden; with and without thinking before."""

from typing import Any

from vllm_recorder.battery.case import Case, hello
from vllm_recorder.battery.chat import NO_THINKING, chat

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "w", "parameters": PARAMETERS},
    }
]
# A call as models of the Qwen3 family write it, as a pattern: it is the only text that fits.
CALL = (
    "<tool_call>\\n<function=get_weather>\\n<parameter=city>\\nParis\\n</parameter>\\n"
    "</function>\\n</tool_call>"
)


def named(name: str) -> dict[str, Any]:
    """Choose a tool by its name."""
    return {"type": "function", "function": {"name": name}}


def tools(name: str, **fields: Any) -> Case:
    """Ask for a chat answer with a tool on offer."""
    return chat(f"tools, {name}", hello(**{"tools": TOOLS, **fields}))


def both(name: str, **fields: Any) -> list[Case]:
    """Ask in one answer and as a stream."""
    return [tools(name, **fields), tools(f"{name}, stream", **fields, stream=True)]


CASES = [
    *both("auto"),
    tools("none", tool_choice="none"),
    *both("required", tool_choice="required", max_tokens=120),
    *both("required, without thinking", tool_choice="required", max_tokens=120, **NO_THINKING),
    *both("named", tool_choice=named("get_weather"), max_tokens=120),
    *both(
        "named, without thinking", tool_choice=named("get_weather"), max_tokens=120, **NO_THINKING
    ),
    *both("written", structured_outputs={"regex": CALL}, max_tokens=150, **NO_THINKING),
    tools("unknown name", tool_choice=named("nope")),
    tools("unknown choice", tool_choice="maybe"),
    chat("tools, a choice of none", hello(tool_choice="auto")),
]
