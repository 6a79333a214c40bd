"""What a real Ollama is asked, with one small chat model and one embedding model."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

TURN = "{{ range .Messages }}<|im_start|>{{ .Role }}\n"
END = "<|im_end|>\n{{ end }}<|im_start|>assistant\n"
MODELS: dict[str, Body] = {
    "tools": {
        "template": "{{ if .Tools }}You have tools: {{ .Tools }}\n{{ end }}" + TURN
        + "{{ if .ToolCalls }}{{ range .ToolCalls }}"
        '{"name": "{{ .Function.Name }}", "parameters": {{ .Function.Arguments }}}{{ end }}'
        "{{ else }}{{ .Content }}{{ end }}" + END
    },
    "thinker": {
        "template": TURN + "{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}"
        "{{ .Content }}" + END + "{{ if .Think }}<think>{{ end }}"
    },
}  # fmt: skip
"""What is made of the chat model, so that it calls tools and thinks."""
NOTHING_CUT = {"truncate": False, "shift": False}
OPTIONS = {"temperature": 0, "seed": 1, "num_predict": 4}
MESSAGES = [{"role": "user", "content": "Say hello."}]
LONG = "word " * 600
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "d", "parameters": PARAMETERS},
}
CALL = {
    "type": "object",
    "properties": {
        "name": {"const": "get_weather"},
        "parameters": {
            "type": "object", "properties": {"city": {"const": "Berlin"}}, "required": ["city"],
        },
    },
    "required": ["name", "parameters"],
}  # fmt: skip
"""A format that leaves the model nothing but to call the tool."""


def battery() -> dict[str, tuple[str, Body | None]]:
    """Return path and body of each request; no body: a GET."""
    whole = {"stream": False, "options": OPTIONS, **NOTHING_CUT}
    stream = {"options": OPTIONS, **NOTHING_CUT}
    chat: Body = {"model": "chat", "messages": MESSAGES}
    called: Body = {"model": "tools", "messages": MESSAGES, "tools": [TOOL], "format": CALL}
    called |= {"options": {**OPTIONS, "num_predict": 60}}
    thinking: Body = {"model": "thinker", "messages": MESSAGES, "think": True}
    generate: Body = {"model": "chat", "prompt": "Hi"}
    loop: Body = {"model": "chat", "raw": True, "prompt": " ".join("a" * 14), **NOTHING_CUT}
    loop |= {"options": {"temperature": 0, "repeat_penalty": 0.5, "num_predict": 100}}
    probable = {"logprobs": True, "top_logprobs": 2}
    return {
        "chat": ("/api/chat", chat | whole),
        "chat stream": ("/api/chat", chat | stream),
        "chat logprobs": ("/api/chat", chat | whole | probable),
        "chat logprobs stream": ("/api/chat", chat | stream | probable),
        "chat too long": (
            "/api/chat",
            chat | whole | {"messages": [MESSAGES[0] | {"content": LONG}]},
        ),
        "chat load": ("/api/chat", {"model": "chat", "messages": []}),
        "chat tools": ("/api/chat", whole | called),
        "chat tools stream": ("/api/chat", NOTHING_CUT | called),
        "chat tools unsupported": ("/api/chat", chat | whole | {"tools": [TOOL]}),
        "chat thinking": ("/api/chat", thinking | whole),
        "chat thinking stream": ("/api/chat", thinking | stream),
        "chat thinking unsupported": ("/api/chat", chat | whole | {"think": True}),
        "chat parts": (
            "/api/chat",
            {"model": "chat", "messages": [{"role": "user", "content": [1]}]},
        ),
        "chat wrong option": ("/api/chat", chat | {"options": {"temperature": "hot"}}),
        "chat unknown model": ("/api/chat", chat | {"model": "nobody"}),
        "chat no model": ("/api/chat", {"messages": MESSAGES}),
        "generate": ("/api/generate", generate | whole),
        "generate stream": ("/api/generate", generate | stream),
        "generate raw": ("/api/generate", generate | whole | {"raw": True}),
        "generate thinking stream": ("/api/generate", generate | stream | {"model": "thinker"}),
        "generate load": ("/api/generate", {"model": "chat", "prompt": ""}),
        "generate too long": ("/api/generate", generate | whole | {"prompt": LONG}),
        "generate loop": ("/api/generate", loop | {"stream": False}),
        "generate loop stream": ("/api/generate", loop),
        "embed": ("/api/embed", {"model": "embed", "input": ["a", "b"], "dimensions": 3}),
        "embed empty": ("/api/embed", {"model": "embed", "input": ""}),
        "embed tokens": ("/api/embed", {"model": "embed", "input": [1, 2]}),
        "embed too long": ("/api/embed", {"model": "embed", "input": LONG, "truncate": False}),
        "embeddings too long": ("/api/embeddings", {"model": "embed", "prompt": LONG}),
        "tags": ("/api/tags", None),
        "ps": ("/api/ps", None),
        "version": ("/api/version", None),
        "show": ("/api/show", {"model": "chat"}),
        "show unknown": ("/api/show", {"model": "nobody"}),
    }
