"""Other clients than OpenAI's chat: each asks in its own words, and any model answers in them."""

import json
from typing import Any

from rich.markup import escape

from demo.stage import Demo, console, expect

APP = "jarvis-cortex"
QUESTION = "What is the capital of France?"
ASKED = [{"role": "user", "content": QUESTION}]
ALLOWED, FORBIDDEN = "https://chat.example.org", "https://elsewhere.example.org"
CHAT = "/v1/chat/completions"
# One white pixel.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQ"
    "EAsTj2FAAAAABJRU5ErkJggg=="
)


def responses(demo: Demo) -> None:
    """OpenAI's responses: Ollama is not asked in them, so LiteLLM translates."""
    body = {"model": "chat", "input": QUESTION, "max_output_tokens": 40, "temperature": 0}
    answer = demo.ask(APP, "/v1/responses", body)
    expect(answer.status_code == 200, f"it answered {answer.status_code}: {answer.text}")
    (message,) = [item for item in answer.json()["output"] if item["type"] == "message"]
    _show(demo, answer, "".join(part["text"] for part in message["content"]), "ollama")


def messages(demo: Demo) -> None:
    """Anthropic's messages, with the key where its clients put it: vLLM speaks them itself."""
    body = {"model": "assistant", "messages": ASKED, "max_tokens": 24}
    answer = demo.ask(APP, "/v1/messages", body, key_header="x-api-key: ")
    expect(answer.status_code == 200, f"it answered {answer.status_code}: {answer.text}")
    said = answer.json()
    expect(said["type"] == "message", f"that is no message: {answer.text}")
    _show(demo, answer, "".join(part.get("text", "") for part in said["content"]), "vllm")


def ollama(demo: Demo) -> None:
    """What an ollama client sends, whose answer is a stream: a model on the GPU says it."""
    body = {"model": "assistant", "messages": ASKED, "options": {"num_predict": 24}}
    answer = demo.ask(APP, "/api/chat", body)
    expect(answer.status_code == 200, f"it answered {answer.status_code}: {answer.text}")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    expect(bool(lines[-1]["done"]), f"the last line does not say that it is done: {lines[-1]}")
    _show(demo, answer, "".join(line["message"]["content"] for line in lines), "vllm")


def browser(demo: Demo) -> None:
    """A browser asks for a web page whether it may ask; for a page of another site it may not."""
    for origin, allowed in ((ALLOWED, True), (FORBIDDEN, False)):
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        }
        told = " ".join(f"-H '{name}: {value}'" for name, value in headers.items())
        console.print(f"  [dim]curl -i -X OPTIONS {demo.base_url}{CHAT} {told}[/]")
        answer = demo.client.options(demo.base_url + CHAT, headers=headers)
        name = "access-control-allow-origin"
        found = answer.headers.get(name)
        colour = "green" if allowed else "yellow"
        console.print(f"  [{colour}]{answer.status_code} {name}: {found or '(none)'}[/]")
        expect((found == origin) is allowed, f"{origin} was told {found}")
        demo.show_log(answer)


def picture(demo: Demo) -> None:
    """A picture for a model that cannot see: refused at once, by the model's name."""
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    body = {"model": "chat", "messages": [{"role": "user", "content": parts}]}
    answer = demo.ask(APP, CHAT, body)
    expect(answer.status_code == 400, f"the picture was answered {answer.status_code}")
    console.print(f"  [yellow]{answer.status_code} {escape(answer.json()['error']['message'])}[/]")
    expect(not demo.show_log(answer)["tried"], "an engine was asked all the same")


def _show(demo: Demo, answer: Any, text: str, engine: str) -> None:
    """Print what was said and the log line; it was this engine that said it."""
    expect(bool(text.strip()), f"nothing was said: {answer.text}")
    served = answer.headers.get("x-synapse-model", "?")
    console.print(f"  [green]{escape(text.strip())}[/]  (served by {served})")
    line = demo.show_log(answer)
    expect(line["engine"] == engine, f"{line['engine']} served it, not {engine}")
