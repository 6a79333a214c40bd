"""The wrapper of an engine writes down what it is doing, and the probe judges that."""

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from boot_container import LIMIT_S, Arbiter, Start
from boot_probe import PREPARING, RUNNING, STARTING, WAITING
from harness import Harness


def test_every_phase_is_told_and_judged(start: Start, tmp_path: Path) -> None:
    arbiter, downloaded = Arbiter(), tmp_path / "downloaded"
    wait = "import pathlib,sys,time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)"
    prepare = shlex.join([sys.executable, "-c", wait, str(downloaded)])
    with arbiter.serve() as url:
        container = start(url, "--prepare", prepare)
        container.until(lambda: container.phase() == PREPARING)
        assert container.probe("alive")
        assert not container.probe("ready")
        assert arbiter.calls == []
        downloaded.touch()
        container.until(lambda: container.phase() == WAITING)
        container.until(lambda: arbiter.calls.count("/boot/wait") > 1)
        assert container.probe("alive")
        assert not container.probe("ready")
        arbiter.grants.set()
        container.until(lambda: container.phase() == STARTING)
        assert container.probe("alive")
        assert not container.probe("ready")
        container.tell("health", "200")
        container.until(lambda: container.phase() == RUNNING)
        assert container.probe("ready")
        assert container.probe("alive")
        container.tell("core", "500")
        assert container.probe("ready")
        assert not container.probe("alive")
        container.tell("health", "503")
        assert not container.probe("ready")
        container.process.terminate()
        container.process.wait(LIMIT_S)
        assert arbiter.calls[-1] == "/boot/end"


def test_an_engine_that_answers_runs_whatever_became_of_the_arbiter(
    start: Start,
) -> None:
    arbiter = Arbiter()
    arbiter.grants.set()
    with arbiter.serve() as url:
        container = start(url)
        container.until(lambda: container.phase() == STARTING)
    container.tell("health", "200")
    container.until(lambda: container.phase() == RUNNING)
    assert container.probe("ready")


def test_a_failed_download_ends_the_container_with_a_sentence_and_without_the_gpu(
    start: Start,
) -> None:
    arbiter = Arbiter()
    with arbiter.serve() as url:
        container = start(url, "--prepare", shlex.join([sys.executable, "-c", "exit('no such')"]))
        assert container.process.wait(LIMIT_S) == 1
    last = container.log.read_text().splitlines()[-1]
    assert last.startswith("boot lease: big: ")
    assert last.endswith("failed with status 1: no such")
    assert arbiter.calls == []


def test_a_command_that_does_not_exist_is_a_sentence_too(
    start: Start,
) -> None:
    container = start("http://127.0.0.1:9", "--prepare", "no-such-command x")
    assert container.process.wait(LIMIT_S) == 1
    assert "no-such-command" in container.log.read_text().splitlines()[-1]


def test_a_stop_ends_the_download(start: Start, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"import os,pathlib,time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
    code += "while True: time.sleep(1)"
    container = start("http://127.0.0.1:9", "--prepare", shlex.join([sys.executable, "-c", code]))
    container.until(lambda: pid.exists() and bool(pid.read_text()))
    container.process.terminate()
    assert container.process.wait(LIMIT_S) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_an_answer_that_breaks_off_is_asked_for_again(start: Start) -> None:
    arbiter = Arbiter()
    arbiter.breaks_off = 2
    arbiter.grants.set()
    with arbiter.serve() as url:
        container = start(url)
        container.until(lambda: container.phase() == STARTING)
        assert arbiter.calls.count("/boot/wait") == 3


def test_a_refused_wrapper_says_why_and_gets_its_turn_once_it_has_the_secret(
    start: Start,
) -> None:
    arbiter = Arbiter()
    arbiter.secret = "other"
    arbiter.grants.set()
    with arbiter.serve() as url:
        container = start(url)
        container.until(lambda: "This needs the secret." in container.log.read_text())
        assert container.phase() == WAITING
        assert container.process.poll() is None
        container.secret.write_text("other")
        container.until(lambda: container.phase() == STARTING)
    assert "other" not in Path(f"/proc/{container.process.pid}/cmdline").read_text()


async def test_a_wrapper_from_before_the_ports_waits_and_its_successor_gets_its_turn(
    start: Start, booting_home: Harness
) -> None:
    """What happens when the arbiter is new and an engine's pod is still to be replaced."""
    home = booting_home
    old = start(home.url)  # the one port of before is where models are asked for
    await asyncio.to_thread(old.until, lambda: "404" in old.log.read_text())
    assert "There is nothing at this path." in old.log.read_text()
    assert old.phase() == WAITING
    assert (home.resident, home.condition("a")) == ("a", "awake")
    old.process.terminate()
    await asyncio.to_thread(old.process.wait, LIMIT_S)
    new = start(home.at("boot"))
    await asyncio.to_thread(new.until, lambda: new.phase() == STARTING)
    assert home.condition("big") == "booting"


def test_a_wrapper_without_its_secret_waits_for_it(start: Start) -> None:
    arbiter = Arbiter()
    arbiter.grants.set()
    with arbiter.serve() as url:
        container = start(url)
        container.secret.unlink()
        container.until(lambda: "secret" in container.log.read_text())
        assert container.process.poll() is None
        container.secret.write_text("open")
        container.until(lambda: container.phase() == STARTING)
