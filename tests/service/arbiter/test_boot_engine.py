"""The wrapper supervises its engine: nothing of one that cannot serve is left, and it says why."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import boot_engine
import boot_lease
from boot_container import Arbiter, Container, Start
from boot_probe import RUNNING, STARTING
from harness import Harness

KILLED = 128 + signal.SIGKILL
OUT_OF_MEMORY = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total "
    "capacity of 31.36 GiB of which 1.12 GiB is free."
)


@pytest.fixture
def arbiter() -> Iterator[tuple[Arbiter, str]]:
    arbiter = Arbiter()
    arbiter.grants.set()
    with arbiter.serve() as url:
        yield arbiter, url


def loads(container: Container) -> Container:
    """Wait until both processes of the engine are there, and its port is not."""
    container.until(lambda: container.phase() == STARTING)
    container.until(lambda: container.child_lives)
    return container


def serves(container: Container) -> Container:
    """Let the engine serve."""
    loads(container).tell("health", "200")
    container.until(lambda: container.phase() == RUNNING)
    return container


def reason(arbiter: Arbiter) -> str | None:
    """Return why the engine ended, as the arbiter was told."""
    assert arbiter.calls[-1] == "/boot/end"
    return arbiter.bodies[-1].get("reason")


def test_an_engine_that_closes_its_port_and_stays_is_killed_and_told(
    start: Start, arbiter: tuple[Arbiter, str]
) -> None:
    container = serves(start(arbiter[1]))
    container.tell("closed")
    status, last = container.ended()
    assert status == KILLED
    assert not container.child_lives
    told = "big: nobody has listened on its port for 0.3 s, so it was killed"
    assert (reason(arbiter[0]), last) == (told, f"boot lease: {told}")


def test_what_an_engine_leaves_behind_is_killed_before_the_end_is_told(
    start: Start, arbiter: tuple[Arbiter, str]
) -> None:
    container = serves(start(arbiter[1]))
    lives: list[bool] = []
    arbiter[0].on_end = lambda: lives.append(container.child_lives)
    container.tell("exit", "3\n")
    status, last = container.ended()
    assert (status, lives) == (3, [False])
    assert last == "boot lease: big: its engine ended with status 3"
    assert reason(arbiter[0]) == "big: its engine ended with status 3"


def test_a_stop_that_is_lost_while_the_model_loads_kills_it_soon(
    start: Start, arbiter: tuple[Arbiter, str], tmp_path: Path
) -> None:
    (tmp_path / "deaf").touch()
    container = loads(start(arbiter[1], "--kill-after-s=600"))
    container.process.terminate()
    status, last = container.ended()
    assert status == KILLED
    assert not container.child_lives
    assert last.endswith("it did not end in the time that it had after the stop, and was killed")
    assert reason(arbiter[0]) is None


def test_an_engine_that_serves_and_does_not_end_is_killed_before_its_pod(
    start: Start, arbiter: tuple[Arbiter, str], tmp_path: Path
) -> None:
    (tmp_path / "deaf").touch()
    container = serves(start(arbiter[1], "--kill-after-s=1"))
    container.process.terminate()
    status, _ = container.ended()
    assert status == KILLED
    assert not container.child_lives
    assert reason(arbiter[0]) is None


def test_answers_run_to_their_end_after_a_stop_though_the_port_is_closed(
    start: Start, arbiter: tuple[Arbiter, str], tmp_path: Path
) -> None:
    (tmp_path / "slow").write_text("1.5")
    container = serves(start(arbiter[1], "--kill-after-s=20"))
    container.process.terminate()
    assert container.ended() == (0, "all answers have ended")
    assert not container.child_lives
    assert reason(arbiter[0]) is None


def test_what_an_engine_says_is_passed_on_at_once_even_half_a_line(
    start: Start, arbiter: tuple[Arbiter, str]
) -> None:
    code = (
        "import sys, time; print('half a line', end='', flush=True);"
        " print('and another', file=sys.stderr, flush=True); time.sleep(600)"
    )
    container = start(arbiter[1], engine=(sys.executable, "-S", "-c", code))
    container.until(lambda: "half a line" in container.log.read_text())
    container.until(lambda: "and another" in container.log.read_text())


def test_too_little_memory_is_told_in_the_last_line_and_to_the_arbiter(
    start: Start, arbiter: tuple[Arbiter, str]
) -> None:
    container = loads(start(arbiter[1]))
    container.tell("exit", f"1\n{OUT_OF_MEMORY}\nsee above\n")
    status, last = container.ended()
    told = (
        "big: the GPU's memory was too small: it wanted another 2.00 GiB; lower kv_cache_gib, "
        "context or max-num-seqs in its entry, or take a smaller model"
    )
    assert (status, last, reason(arbiter[0])) == (1, f"boot lease: {told}", told)
    assert OUT_OF_MEMORY in container.log.read_text()


def test_a_kill_that_is_not_ours_is_the_kernels(start: Start, arbiter: tuple[Arbiter, str]) -> None:
    container = loads(start(arbiter[1]))
    container.tell("exit", "-9\n")
    status, last = container.ended()
    assert status == KILLED
    assert "most likely because the host's memory was too small" in last
    assert reason(arbiter[0]) == last.removeprefix("boot lease: ")


def test_a_command_that_cannot_be_run_is_a_sentence(
    start: Start, arbiter: tuple[Arbiter, str]
) -> None:
    container = start(arbiter[1], engine=("no-such-server",))
    status, last = container.ended()
    assert status == 127
    assert last.startswith("boot lease: big: no-such-server cannot be run: ")
    assert reason(arbiter[0]) == last.removeprefix("boot lease: ")


def test_the_arbiter_learns_whether_anything_has_changed_since_the_last_start(
    start: Start, arbiter: tuple[Arbiter, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(arbiter[1], engine=("true",)).ended()
    asked = arbiter[0].bodies[arbiter[0].calls.index("/boot/wait")]
    before = boot_lease.setup()
    assert len(asked["setup"]) == len(before)
    assert boot_lease.setup() == before
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--max-model-len=4096"])
    after = boot_lease.setup()
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "x")
    assert len({before, after, boot_lease.setup()}) == 3


async def test_the_arbiters_status_says_why_an_engine_did_not_start(
    start: Start, booting_home: Harness
) -> None:
    say = f"import sys; sys.exit({OUT_OF_MEMORY!r})"
    start(booting_home.at("boot"), engine=(sys.executable, "-S", "-c", say))
    state = booting_home.arbiter.scheduler.state.engine_states["big"]
    await booting_home.until(lambda: state.failures == 1, "the start to fail")
    assert state.reason.startswith("big: the GPU's memory was too small")
    assert state.told(0.0).count("the GPU's memory") == 1


def test_an_engine_that_dies_just_before_a_stop_is_told_by_its_own_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handlers = {number: signal.getsignal(number) for number in boot_engine.SIGNALS}
    wait = os.waitid

    def stop_comes_first(kind: int, number: int, options: int) -> object:
        ended = wait(kind, number, options)
        signal.raise_signal(signal.SIGTERM)
        return ended

    monkeypatch.setattr(os, "waitid", stop_comes_first)
    try:
        command = [sys.executable, "-S", "-c", "import os; os._exit(3)"]
        assert boot_engine.Engine(command, 9, 25).run(lambda: None) == 3
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
