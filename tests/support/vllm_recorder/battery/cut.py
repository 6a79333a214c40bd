"""Answers that a control call cuts, in every dialect: while they run and while they wait."""

from typing import Any

from vllm_recorder.battery.case import HELLO, MODEL, Case, Interruption, Kind

# Far longer than the control call takes to come.
LONG = 1500
ABORT, SLEEP, PAUSE = "/abort_requests", "/sleep?level=1&mode=abort", "/pause?mode=abort"
RUNNING, WAITING = Interruption("running", ABORT), Interruption("waiting", ABORT)


def dialects() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name every way to ask for a long text."""
    return {
        "chat": (
            "/v1/chat/completions",
            {"messages": HELLO, "max_tokens": LONG, "ignore_eos": True},
        ),
        "completion": (
            "/v1/completions",
            {"prompt": "Hello", "max_tokens": LONG, "ignore_eos": True},
        ),
        "response": ("/v1/responses", {"input": "Hello", "max_output_tokens": LONG}),
        "message": ("/v1/messages", {"messages": HELLO, "max_tokens": LONG}),
    }


def cut(dialect: str, how: Interruption, *, stream: bool) -> Case:
    """Cut one long answer."""
    path, fields = dialects()[dialect]
    name = f"cut: {dialect}{', stream' if stream else ''}, {how.phase}, {how.call}"
    body = {"model": MODEL, **fields, **({"stream": True} if stream else {})}
    return Case(name, "POST", path, body, interruption=how)


CASES = [
    *(
        cut(dialect, how, stream=stream)
        for dialect in dialects()
        for how in (RUNNING, WAITING)
        for stream in (False, True)
    ),
    *(cut("chat", Interruption("running", call), stream=True) for call in (SLEEP, PAUSE)),
]


def cases(kind: Kind) -> list[Case]:
    """Return them; cutting a vector would end the engine, so only writing engines are cut."""
    return CASES if kind == "generate" else []
