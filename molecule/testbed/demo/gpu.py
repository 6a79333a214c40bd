"""One GPU, three models: waking, sharing, falling back, releasing it, losing an engine."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.markup import escape

from demo.stage import Demo, console, expect
from synapse_cli import arbiter
from synapse_common.engines import ARBITER_OPERATOR_PORT, VLLM
from synapse_testbed.podman import podman
from synapse_testbed.settings import from_environment

ARBITER = (VLLM.service, ARBITER_OPERATOR_PORT)
BACK_LIMIT_S = 120.0
GIB = 1024**3
ENGINE = "[v]llm_simulator simulated/gpu-chat"
ALIASES = {"assistant": "gpu-chat", "coder": "gpu-code", "agent": "gpu-agent"}


def wake(demo: Demo) -> None:
    """A model sleeps; a request wakes it, and waits no longer than that takes."""
    asked = _asleep(demo, "assistant", "coder")
    answer = _chat(demo, "jarvis-cortex", asked)
    line = demo.show_log(answer)
    expect(line["served"] == ALIASES[asked], f"{asked} was served by {line['served']}")
    expect(bool(line["woke"]), f"{asked} should have been asleep")
    _show_gpu(demo)


def share(demo: Demo) -> None:
    """Two applications want different models at once: they take turns, in few switches."""
    asks = [("jarvis-cortex", "assistant"), ("agents", "coder")] * 4
    before = _status(demo)["switches"]
    with ThreadPoolExecutor(len(asks)) as pool:
        answers = list(pool.map(lambda ask: demo.send(*ask, question("Whose turn is it?")), asks))
    for (app, asked), answer in zip(asks, answers, strict=True):
        line = demo.log_line(answer)
        waited = "" if line["waited_s"] is None else f", waited {line['waited_s']:.2f} s"
        console.print(f"  [green]{app} asked {asked}: {line['served']}{waited}[/]")
        expect(answer.status_code == 200, f"{asked} answered {answer.status_code}")
    switches = _status(demo)["switches"] - before
    console.print(f"  requests: {len(asks)}, switches: {switches}")
    _show_gpu(demo)


def impatient(demo: Demo) -> None:
    """An application that waits 0.3 s at most does not wait for a switch: Ollama answers."""
    asked = _asleep(demo, "assistant", "coder")
    answer = _chat(demo, "home-panel", asked)
    line = demo.show_log(answer)
    expect(line["served"] == "tiny-chat", f"{asked} was served by {line['served']}")


def release(demo: Demo) -> None:
    """The GPU is released for a game, and taken back; nobody goes without an answer."""
    console.print("  [dim]make gpu-release HOURS=2[/]")
    console.print(f"  {escape(arbiter.release(demo.cluster, hours=2))}")
    _until(demo, "every model asleep", lambda gpu: gpu["gpu"]["resident"] is None)
    _show_gpu(demo)
    line = demo.show_log(_chat(demo, "jarvis-cortex", "assistant"))
    expect(line["served"] == "tiny-chat", f"the GPU is released, yet {line['served']} served")
    console.print("  [dim]make gpu-reclaim[/]")
    console.print(f"  {escape(arbiter.reclaim(demo.cluster))}")
    line = demo.show_log(_chat(demo, "jarvis-cortex", "assistant"))
    expect(line["served"] == "gpu-chat", f"the GPU is back, yet {line['served']} served")


def lose(demo: Demo) -> None:
    """An engine is killed in the middle of an answer: an error, a fallback, and it is back."""
    body = {**question("Tell me everything."), "model": "assistant", "max_tokens": 500}
    stream = demo.ask(
        "jarvis-cortex", "/v1/chat/completions", body | {"stream": True}, keep_open=True
    )
    events = []
    for line in stream.iter_lines():
        if line.startswith("data: "):
            events.append(line[6:])
            if len(events) == 5:
                # Not its pod deleted: an engine that is told to end answers to the end first.
                console.print("  [dim]kill -9 (the server in the pod vllm-gpu-chat-0)[/]")
                podman("exec", from_environment(os.environ).name, "pkill", "-9", "-f", ENGINE)
    expect("error" in json.loads(events[-1]), f"the stream ended with {events[-1]}")
    console.print(f"  [yellow]{len(events) - 1} pieces, then {escape(events[-1])}[/]")
    demo.show_log(stream)
    line = demo.show_log(_chat(demo, "jarvis-cortex", "assistant"))
    expect(line["status"] == 200, f"the next request was answered {line['status']}")
    began_s = time.monotonic()
    while demo.log_line(demo.send("jarvis-cortex", "assistant", question("Back?")))["served"] != (
        "gpu-chat"
    ):
        expect(time.monotonic() - began_s < BACK_LIMIT_S, "gpu-chat did not come back")
        time.sleep(0.5)
    console.print(f"  gpu-chat answers again after {time.monotonic() - began_s:.0f} s")
    _show_gpu(demo)


def question(text: str) -> dict[str, Any]:
    """A short chat request, still without a model."""
    return {"messages": [{"role": "user", "content": text}], "max_tokens": 24}


def _chat(demo: Demo, app: str, model: str) -> Any:
    body = {"model": model, **question("Who answers now?")}
    answer = demo.ask(app, "/v1/chat/completions", body)
    expect(answer.status_code == 200, f"{model} answered {answer.status_code}: {answer.text}")
    content = answer.json()["choices"][0]["message"]["content"].strip()
    served = answer.headers.get("x-synapse-model", "?")
    console.print(
        f"  [green]{escape(content)}[/]"
        f"  (asked {model}, served by {served} in {answer.elapsed.total_seconds():.2f} s)"
    )
    return answer


def _status(demo: Demo) -> dict[str, Any]:
    answer = demo.cluster.get(*ARBITER, "/status")
    expect(answer.status == 200, f"the arbiter answered {answer.status}")
    return dict(json.loads(answer.body))


def _asleep(demo: Demo, *aliases: str) -> str:
    """Return the first of these names whose model is not on the GPU, once all have booted."""
    gpu = _until(
        demo,
        "every engine to have started",
        lambda status: {model["state"] for model in status["models"]} <= {"awake", "asleep"},
    )
    return next(alias for alias in aliases if ALIASES[alias] != gpu["gpu"]["resident"])


def _until(demo: Demo, what: str, holds: Any) -> dict[str, Any]:
    began_s = time.monotonic()
    while not holds(status := _status(demo)):
        expect(time.monotonic() - began_s < BACK_LIMIT_S, f"waited {BACK_LIMIT_S:.0f} s for {what}")
        time.sleep(0.2)
    return status


def _show_gpu(demo: Demo) -> None:
    status = _status(demo)
    gpu, used = status["gpu"], status["gpu"]["used_bytes"]
    states = ", ".join(f"{model['name']} {model['state']}" for model in status["models"])
    memory = "?" if used is None else f"{used / GIB:.1f}"
    console.print(f"  gpu: {states}; {memory} of {gpu['total_bytes'] / GIB:.0f} GiB in use\n")
