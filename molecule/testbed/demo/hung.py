"""An engine that hangs beside one that is well: only who asks for the hung one waits."""

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from demo.gpu import question
from demo.stage import Demo, console, expect
from synapse_testbed.podman import podman
from synapse_testbed.settings import from_environment

APP = "jarvis-cortex"
HUNG, WELL = "chat", "assistant"
PLACES = 16
"""As many as the application may ask at once."""
ASKED = 20
PROCESS = "ollama"
RESUMED_LIMIT_S = 60.0


def hung_engine(demo: Demo) -> None:
    """Ollama takes requests and never answers; the same application's model on the GPU does."""
    first = demo.send(APP, WELL, question("Are you awake?"))
    expect(first.status_code == 200, f"{WELL} answered {first.status_code}: {first.text}")
    with ThreadPoolExecutor(PLACES) as pool:
        with stopped(PROCESS):
            console.print(f"  {PLACES} requests of {APP} for {HUNG}, which is on Ollama, wait.")
            waiting = [
                pool.submit(demo.send, APP, HUNG, question("Is somebody there?"))
                for _ in range(PLACES)
            ]
            taken_s = [_answered(demo) for _ in range(ASKED)]
            console.print(
                f"  [green]Meanwhile all {ASKED} requests of {APP} for {WELL} were answered, "
                f"the slowest in {max(taken_s):.2f} s.[/]"
            )
        statuses = [one.result(RESUMED_LIMIT_S).status_code for one in waiting]
    answered = statuses.count(200)
    console.print(
        f"  Ollama goes on. Of the {PLACES} that waited, {answered} are answered and "
        f"{PLACES - answered} were told an error."
    )
    last = demo.send(APP, HUNG, question("Are you back?"))
    expect(last.status_code == 200, f"{HUNG} answered {last.status_code}: {last.text}")
    demo.show_log(last)


@contextlib.contextmanager
def stopped(process: str) -> Iterator[None]:
    """Stop a program of the server while the block runs; it goes on afterwards, come what may."""
    container = from_environment(os.environ).name
    console.print(f"  [dim]kill -STOP (every process {process})[/]")
    try:
        podman("exec", container, "pkill", "-STOP", "-x", process)
        yield
    finally:
        podman("exec", container, "pkill", "-CONT", "-x", process)
        console.print(f"  [dim]kill -CONT (every process {process})[/]")


def _answered(demo: Demo) -> float:
    """Ask the model that is well; return the seconds it took."""
    began_s = time.monotonic()
    answer = demo.send(APP, WELL, question("Who answers now?"))
    said = f"{WELL} answered {answer.status_code} while {HUNG} hangs: {answer.text}"
    expect(answer.status_code == 200, said)
    return time.monotonic() - began_s
