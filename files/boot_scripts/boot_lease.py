"""Start an engine only when the arbiter lets it: `boot_lease.py --model NAME -- vllm serve ...`.

It runs in the engine's main container, on every start of it, and needs nothing but Python.
First it runs `--prepare`, if given (a download must not hold the GPU); then it asks the arbiter
for the GPU, waits for its turn, starts the engine, and tells the arbiter when the engine ends.
Without an arbiter it waits: an engine that starts beside another one fails or makes that one fail.
It shows the arbiter the secret in `--secret-file`, read anew for every call, so that it can change.
What it is doing is written to `--phase-file` for boot_probe.py, which judges it for the kubelet.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from contextlib import suppress
from pathlib import Path

import boot_probe
from boot_prepare import Preparation, PrepareError, prepare

CALL_S = 40.0  # the arbiter answers a wait after 20 s at the latest
PAUSE_S = 2.0  # between tries while the arbiter is away
HOLD_S = 3.0  # between signs of life while the engine starts
STOPPED = 128 + signal.SIGTERM
NO_ANSWER = (OSError, http.client.HTTPException, ValueError, KeyError)


def main() -> int:
    """Return the engine's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arbiter", default=os.environ.get("SYNAPSE_ARBITER", ""))
    parser.add_argument("--model", required=True)
    parser.add_argument("--secret-file", required=True, help="what the arbiter knows us by")
    parser.add_argument("--prepare", default="", help="a command to run before asking")
    parser.add_argument("--prepare-limit-s", type=float, default=7200)
    parser.add_argument("--watch", default="", help="the folder that the command fills")
    parser.add_argument("--needs-gib", type=float, default=0, help="how much will be in it")
    parser.add_argument("--phase-file", default="", help="where to write down what is being done")
    parser.add_argument("--port", type=int, default=8000, help="the engine's, to see that it runs")
    parser.add_argument("engine", nargs="+", help="the engine's command, after --")
    options = parser.parse_args()
    if not options.arbiter.startswith(("http://", "https://")):
        parser.error("name the arbiter's address, by --arbiter or SYNAPSE_ARBITER")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))
    if options.prepare and not _prepare(options):
        return 1
    lease = Lease(options.arbiter, options.model, options.secret_file)
    try:
        boot_probe.tell(options.phase_file, boot_probe.WAITING)
        lease.wait()
        boot_probe.tell(options.phase_file, boot_probe.STARTING)
        return run(options.engine, lease, options.phase_file, options.port)
    finally:
        lease.end()


def _prepare(options: argparse.Namespace) -> bool:
    boot_probe.tell(options.phase_file, boot_probe.PREPARING)
    job = Preparation(
        model=options.model,
        command=options.prepare,
        limit_s=options.prepare_limit_s,
        folder=options.watch,
        needs_gib=options.needs_gib,
    )
    try:
        prepare(job, say)
    except (OSError, PrepareError) as error:
        say(f"{error}")
        return False
    return True


class Lease:
    """One run of this program, as the arbiter knows it."""

    def __init__(self, arbiter: str, model: str, secret_file: str) -> None:
        """Think of a name that no earlier run had."""
        self._arbiter = arbiter.rstrip("/")
        self._secret_file = secret_file
        self._who = {"model": model, "instance": uuid.uuid4().hex}

    def wait(self) -> None:
        """Wait for the GPU, however long it takes and whatever becomes of the arbiter."""
        said = ""
        while True:
            try:
                if self._call("wait")["granted"]:
                    say("the GPU is ours")
                    return
                news = "waiting for the GPU"
            except NO_ANSWER as error:
                news = f"waiting for the arbiter: {error}"
                time.sleep(PAUSE_S)
            if news != said:
                say(news)
                said = news

    def hold(self, ended: threading.Event) -> None:
        """Give signs of life until the arbiter has taken the engine in, or it ended."""
        while not ended.wait(HOLD_S):
            try:
                if not self._call("hold")["held"]:
                    return
            except NO_ANSWER as error:
                say(f"the arbiter is away: {error}")

    def end(self) -> None:
        """Tell the arbiter that there is no engine any more; it notices by itself as well."""
        try:
            self._call("end")
        except NO_ANSWER as error:
            say(f"the arbiter is away: {error}")

    def _call(self, what: str) -> dict[str, bool]:
        url = f"{self._arbiter}/boot/{what}"
        body = json.dumps(self._who).encode()
        secret = Path(self._secret_file).read_text().strip()
        headers = {"content-type": "application/json", "authorization": f"Bearer {secret}"}
        request = urllib.request.Request(url, body, headers)  # noqa: S310  (checked in main)
        try:
            with urllib.request.urlopen(request, timeout=CALL_S) as response:  # noqa: S310
                answer = json.load(response)
        except urllib.error.HTTPError as refused:
            raise ValueError(f"{refused}: {_reason(refused)}") from refused
        if not isinstance(answer, dict):
            raise ValueError(f"{url} answered {answer!r}")
        return answer


def _reason(refused: urllib.error.HTTPError) -> str:
    """Return the arbiter's own words, as far as there are any."""
    try:
        return str(json.load(refused)["error"]["message"])
    except (*NO_ANSWER, TypeError):
        return f"{refused.url} is not known there"


def run(command: list[str], lease: Lease, phase_file: str = "", port: int = 0) -> int:
    """Run the engine as its only child would be run: signals reach it, orphans are reaped."""
    engine = subprocess.Popen(command)  # noqa: S603  (the operator's command)

    def pass_on(number: int, _: object) -> None:
        # Not send_signal: it reaps an engine that has just died, and its status would be lost.
        with suppress(ProcessLookupError):
            os.kill(engine.pid, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    ended = threading.Event()
    threading.Thread(target=lease.hold, args=(ended,), daemon=True).start()
    if phase_file:
        threading.Thread(target=_see_it_run, args=(phase_file, port, ended), daemon=True).start()
    try:
        while True:
            pid, status = os.wait()
            if pid == engine.pid:
                code = os.waitstatus_to_exitcode(status)
                engine.returncode = code
                return code if code >= 0 else 128 - code
    finally:
        ended.set()


def _see_it_run(phase_file: str, port: int, ended: threading.Event) -> None:
    """Write down that the engine runs as soon as it answers; no arbiter is needed for that."""
    while not ended.wait(HOLD_S):
        if boot_probe.healthy(port):
            boot_probe.tell(phase_file, boot_probe.RUNNING)
            return


def say(text: str) -> None:
    """Write one line to the container's log."""
    print(f"boot lease: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
