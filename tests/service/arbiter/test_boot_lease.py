"""The wrapper of an engine writes down what it is doing, and the probe judges that."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import boot_lease
from boot_probe import (
    PREPARING,
    RUNNING,
    STARTING,
    WAITING,
    read,
)
from free_ports import free_ports
from gateway_process.process import until
from harness import running_arbiter

FOLDER = Path(__file__).parents[3] / "files/boot_scripts"
LIMIT_S = 30.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# Says that it is healthy while a file says so; until then it does not even listen.
ENGINE = """
import pathlib, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
port, health = int(sys.argv[1]), pathlib.Path(sys.argv[2])
while not health.exists():
    time.sleep(0.01)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(health.read_text() or 503))
        self.end_headers()
HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


class Arbiter:
    """Grants the GPU once the test says so."""

    def __init__(self) -> None:
        self.grants = threading.Event()
        self.breaks_off = 0  # so many answers end early, as when it is killed meanwhile
        self.secret = "open"
        self.calls: list[str] = []

    @contextmanager
    def serve(self) -> Iterator[str]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                if self.headers["authorization"] != f"Bearer {outer.secret}":
                    self.refuse()
                    return
                outer.calls.append(self.path)
                granted = self.path == "/boot/wait" and outer.grants.wait(0.05)
                answer = json.dumps({"granted": granted, "held": True, "ended": True}).encode()
                self.send_response(200)
                if outer.breaks_off:
                    outer.breaks_off -= 1
                    self.send_header("content-length", str(len(answer) + 1))
                self.end_headers()
                self.wfile.write(answer)

            def refuse(self) -> None:
                self.send_response(401)
                self.end_headers()
                self.wfile.write(b'{"error": {"message": "This needs the secret."}}')

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


class Container:
    """One run of the wrapper."""

    def __init__(self, folder: Path, arbiter: str, *options: str) -> None:
        self.phase_file, self.health = folder / "phase", folder / "health"
        self.secret = folder / "secret"
        self.secret.write_text("open\n")
        (self.port,) = free_ports(1)
        self.log = folder / "log"
        engine = [sys.executable, "-c", ENGINE, str(self.port), str(self.health)]
        command = [
            sys.executable, str(FOLDER / "boot_lease.py"), "--arbiter", arbiter, "--model", "big",
            "--phase-file", str(self.phase_file), "--port", str(self.port),
            "--secret-file", str(self.secret), *options, "--", *engine,
        ]  # fmt: skip
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log, start_new_session=True)

    def phase(self) -> str:
        return read(str(self.phase_file))[0]

    def probe(self, question: str) -> bool:
        command = [sys.executable, "-S", str(FOLDER / "boot_probe.py"), question]
        file = ["--phase-file", str(self.phase_file), "--port", str(self.port)]
        return subprocess.run([*command, *file], timeout=LIMIT_S).returncode == 0

    def until(self, condition: Callable[[], bool]) -> None:
        until(condition, LIMIT_S, self.log.read_text)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    started: list[Container] = []

    def begin(arbiter: str, *options: str) -> Container:
        started.append(Container(tmp_path, arbiter, *options))
        return started[-1]

    yield begin
    for container in started:
        if container.process.poll() is None:
            os.killpg(container.process.pid, signal.SIGKILL)
        container.process.wait(LIMIT_S)


def test_every_phase_is_told_and_judged(start: Callable[..., Container], tmp_path: Path) -> None:
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
        container.health.write_text("200")
        container.until(lambda: container.phase() == RUNNING)
        assert container.probe("ready")
        container.health.write_text("503")
        assert not container.probe("alive")
        container.process.terminate()
        container.process.wait(LIMIT_S)
        assert arbiter.calls[-1] == "/boot/end"


def test_an_engine_that_answers_runs_whatever_became_of_the_arbiter(
    start: Callable[..., Container],
) -> None:
    arbiter = Arbiter()
    arbiter.grants.set()
    with arbiter.serve() as url:
        container = start(url)
        container.until(lambda: container.phase() == STARTING)
    container.health.write_text("200")
    container.until(lambda: container.phase() == RUNNING)
    assert container.probe("ready")


def test_a_failed_download_ends_the_container_with_a_sentence_and_without_the_gpu(
    start: Callable[..., Container],
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
    start: Callable[..., Container],
) -> None:
    container = start("http://127.0.0.1:9", "--prepare", "no-such-command x")
    assert container.process.wait(LIMIT_S) == 1
    assert "no-such-command" in container.log.read_text().splitlines()[-1]


def test_a_stop_ends_the_download(start: Callable[..., Container], tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"import os,pathlib,time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
    code += "while True: time.sleep(1)"
    container = start("http://127.0.0.1:9", "--prepare", shlex.join([sys.executable, "-c", code]))
    container.until(lambda: pid.exists() and bool(pid.read_text()))
    container.process.terminate()
    assert container.process.wait(LIMIT_S) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_an_answer_that_breaks_off_is_asked_for_again(start: Callable[..., Container]) -> None:
    arbiter = Arbiter()
    arbiter.breaks_off = 2
    arbiter.grants.set()
    with arbiter.serve() as url:
        container = start(url)
        container.until(lambda: container.phase() == STARTING)
        assert arbiter.calls.count("/boot/wait") == 3


def test_a_refused_wrapper_says_why_and_gets_its_turn_once_it_has_the_secret(
    start: Callable[..., Container],
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
    start: Callable[..., Container], tmp_path: Path
) -> None:
    """What happens when the arbiter is new and an engine's pod is still to be replaced."""
    file = tmp_path / "arbiters-secret"
    file.write_text("open")
    async with running_arbiter("a", "big", awake="a", boot_secret_file=str(file)) as home:
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


def test_a_wrapper_without_its_secret_waits_for_it(start: Callable[..., Container]) -> None:
    arbiter = Arbiter()
    arbiter.grants.set()
    with arbiter.serve() as url:
        container = start(url)
        container.secret.unlink()
        container.until(lambda: "secret" in container.log.read_text())
        assert container.process.poll() is None
        container.secret.write_text("open")
        container.until(lambda: container.phase() == STARTING)


def test_an_engine_that_dies_just_before_a_stop_is_told_by_its_own_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    wait = os.wait

    def stop_comes_first() -> tuple[int, int]:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        signal.raise_signal(signal.SIGTERM)
        return wait()

    monkeypatch.setattr(os, "wait", stop_comes_first)
    try:
        engine = [sys.executable, "-S", "-c", "import os; os._exit(3)"]
        lease = boot_lease.Lease("http://127.0.0.1:9", "big", str(tmp_path / "secret"))
        assert boot_lease.run(engine, lease) == 3
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
