"""The wrapper in an engine's container, as a process, between a stub arbiter and an engine."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from boot_probe import read
from free_ports import free_ports
from gateway_process.process import until
from kill_session import kill_session

FOLDER = Path(__file__).parents[2] / "files/boot_scripts"
LIMIT_S = 30.0
SECRET = "open"
QUICK = {"LOOK_S": 0.05, "REFUSED_S": 0.3, "LOADING_S": 0.3}
"""What the wrapper waits for here, so that nobody waits for the wrapper."""

WRAPPER = f"""
import sys
sys.path.insert(0, {str(FOLDER)!r})
import boot_engine, boot_lease
vars(boot_engine).update({QUICK!r})
sys.exit(boot_lease.main())
"""

# Two processes that do what files in a folder say: `health` and `core` are what the server answers,
# which does not even listen before; `deaf` lets it ignore a stop, `slow` lets answers run on for
# so many seconds after one, with a closed port; `closed` closes the port and makes it deaf, as vLLM
# does whose core died during a wake; `exit` is its status and, on further lines, its last words.
ENGINE = """
import os, pathlib, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
def told(name):
    return (folder / name).exists()
def deaf(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
def slow(*_):
    (folder / "closed").touch()
    time.sleep(float((folder / "slow").read_text()))
    print("all answers have ended", flush=True)
    os._exit(0)
def pause():
    time.sleep(0.01)
    if told("exit"):
        status, _, words = (folder / "exit").read_text().partition("\\n")
        print(words, file=sys.stderr, flush=True)
        os.kill(os.getpid(), int(status[1:])) if status[0] == "-" else os._exit(int(status))
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = folder / ("core" if self.path == "/is_sleeping" else "health")
        self.send_response(int(asked.read_text() if asked.exists() else 200))
        self.end_headers()
    def log_message(self, *_):
        pass
if told("deaf"):
    deaf()
if (child := os.fork()) == 0:
    deaf()
    while True:
        time.sleep(1)
(folder / "child.new").write_text(str(child))
os.replace(folder / "child.new", folder / "child")
if told("slow"):
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=slow).start())
while not told("health"):
    pause()
server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
while not told("closed"):
    pause()
if not told("slow"):
    deaf()
server.shutdown()
server.server_close()
while True:
    pause()
"""


class Arbiter:
    """Grants the GPU once the test says so."""

    def __init__(self) -> None:
        self.grants = threading.Event()
        self.breaks_off = 0  # so many answers end early, as when it is killed meanwhile
        self.secret = SECRET
        self.calls: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.on_end: Callable[[], object] = lambda: None

    @contextmanager
    def serve(self) -> Iterator[str]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers["authorization"] != f"Bearer {outer.secret}":
                    self.refuse()
                    return
                outer.calls.append(self.path)
                outer.bodies.append(json.loads(body))
                if self.path == "/boot/end":
                    outer.on_end()
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

    def __init__(
        self, folder: Path, arbiter: str, *options: str, engine: tuple[str, ...] = ()
    ) -> None:
        """Start it; `engine` is another command than the engine above."""
        self.folder = folder
        self.phase_file, self.secret = folder / "phase", folder / "secret"
        self.secret.write_text("open\n")
        (self.port,) = free_ports(1)
        self.log = folder / "log"
        ours = (sys.executable, "-S", "-c", ENGINE, str(self.port), str(folder))
        command = [
            sys.executable, "-c", WRAPPER, "--arbiter", arbiter, "--model", "big",
            "--phase-file", str(self.phase_file), "--port", str(self.port),
            "--secret-file", str(self.secret), *options, "--", *(engine or ours),
        ]  # fmt: skip
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def tell(self, name: str, text: str = "") -> None:
        """Tell the engine to do something."""
        (self.folder / "new").write_text(text)
        os.replace(self.folder / "new", self.folder / name)

    def phase(self) -> str:
        """Return what the wrapper says that it does."""
        return read(str(self.phase_file))[0]

    def probe(self, question: str) -> bool:
        """Ask as the kubelet does."""
        command = [sys.executable, "-S", str(FOLDER / "boot_probe.py"), question]
        file = ["--phase-file", str(self.phase_file), "--port", str(self.port)]
        return subprocess.run([*command, *file], timeout=LIMIT_S).returncode == 0

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        until(condition, LIMIT_S, self.log.read_text)

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return its status and the last line of its log."""
        status = self.process.wait(LIMIT_S)
        return status, self.log.read_text().splitlines()[-1]

    @property
    def child_lives(self) -> bool:
        """Say whether the engine's second process is there."""
        try:
            child = int((self.folder / "child").read_text())
            return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def kill(self) -> None:
        """End it with all it started."""
        kill_session(self.process.pid)
        self.process.wait(LIMIT_S)


Start = Callable[..., Container]
"""Starts a container: the arbiter's address and more options; it is killed with the test."""
