"""What works without a GPU: chat, streams, embeddings, refusals, fallbacks."""

import json
import math

from rich.markup import escape

from demo.stage import Demo, console, expect


def chat(demo: Demo) -> None:
    """A chat answer."""
    answer = demo.ask(
        "jarvis-cortex",
        "/v1/chat/completions",
        {
            "model": "chat",
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
            "max_tokens": 40,
            "temperature": 0,
        },
    )
    expect(answer.status_code == 200, f"the chat answered {answer.status_code}: {answer.text}")
    console.print(
        f"  [green]{escape(answer.json()['choices'][0]['message']['content'].strip())}[/]"
    )
    demo.show_log(answer)


def stream(demo: Demo) -> None:
    """The same, streamed: every piece is shown as it comes."""
    body = {
        "model": "chat",
        "messages": [{"role": "user", "content": "Tell me what a kitchen is for."}],
        "max_tokens": 40,
        "temperature": 0,
        "stream": True,
    }
    answer = demo.ask("jarvis-cortex", "/v1/chat/completions", body, keep_open=True)
    expect(
        answer.status_code == 200,
        f"the stream answered {answer.status_code}: {answer.read().decode()}",
    )
    console.print("  [green]", end="")
    events = []
    for line in answer.iter_lines():
        if line.startswith("data: "):
            events.append(line[6:])
            console.print(f"[green]{escape(piece_of(line[6:]))}[/]", end="")
    console.print(f"  ({len(events) - 1} pieces)")
    expect(events[-1] == "[DONE]", "the stream did not end with [DONE]")
    demo.show_log(answer)


def piece_of(event: str) -> str:
    """The text that one event of a stream brings."""
    if event == "[DONE]":
        return ""
    return "".join(choice["delta"].get("content") or "" for choice in json.loads(event)["choices"])


def embedding(demo: Demo) -> None:
    """Real embeddings: what is alike is near."""
    texts = ["a cat", "a kitten", "a graphics driver"]
    answer = demo.ask("jarvis-cortex", "/v1/embeddings", {"model": "embed", "input": texts})
    expect(answer.status_code == 200, f"the embedding answered {answer.status_code}: {answer.text}")
    cat, kitten, driver = (entry["embedding"] for entry in answer.json()["data"])
    near, far = cosine(cat, kitten), cosine(cat, driver)
    console.print(
        f"  [green]cos(cat, kitten) = {near:.2f}, cos(cat, graphics driver) = {far:.2f}[/]"
    )
    expect(near > far, "a kitten should be nearer to a cat than a graphics driver is")
    demo.show_log(answer)


def refusal(demo: Demo) -> None:
    """An application asks for a model that is not its own."""
    answer = demo.ask(
        "agents",
        "/v1/embeddings",
        {"model": "embed", "input": "agents may only use chat"},
    )
    expect(
        answer.status_code == 404,
        f"the forbidden model answered {answer.status_code}: {answer.text}",
    )
    console.print(f"  [yellow]{answer.status_code} {escape(answer.json()['error']['message'])}[/]")
    demo.show_log(answer)


def fallback(demo: Demo) -> None:
    """An engine is down (nothing listens at its address): its fallback answers."""
    answer = demo.ask(
        "jarvis-cortex",
        "/v1/chat/completions",
        {
            "model": "code",
            "messages": [{"role": "user", "content": "Who answers now?"}],
            "max_tokens": 30,
        },
    )
    expect(answer.status_code == 200, f"the fallback answered {answer.status_code}: {answer.text}")
    engine = answer.headers.get("x-synapse-model", "?")
    console.print(
        f"  [green]{escape(answer.json()['choices'][0]['message']['content'].strip())}[/]"
        f"  (asked code, served by {engine} in {answer.elapsed.total_seconds():.2f} s)"
    )
    expect(
        demo.show_log(answer).get("fallback") is not None,
        "the log line does not tell of the fallback",
    )


def cosine(left: list[float], right: list[float]) -> float:
    """The cosine of the angle between two vectors of the same length."""
    return (
        sum(a * b for a, b in zip(left, right, strict=True))
        / math.hypot(*left)
        / math.hypot(*right)
    )
