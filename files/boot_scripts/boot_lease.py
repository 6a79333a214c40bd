"""Start an engine only when the arbiter lets it: `boot_lease.py --model NAME -- vllm serve ...`.

It runs in the engine's main container, on every start of it, and needs nothing but Python.
First it runs `--prepare`, if given (a download must not hold the GPU); then it asks the arbiter
for the GPU, waits for its turn, runs the engine under its eyes (boot_engine.py), and tells the
arbiter when the engine ends, and why. That sentence is the log's last line, too.
Without an arbiter it waits: an engine that starts beside another one fails or makes that one fail.
It shows the arbiter the secret in `--secret-file`, read anew for every call, so that it can change.
What it is doing is written to `--phase-file` for boot_probe.py, which judges it for the kubelet.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import boot_probe
from boot_engine import Engine
from boot_prepare import Preparation, PrepareError, prepare
from boot_reason import explain

WAIT_CALL_S = 40.0  # the arbiter answers a wait after 20 s at the latest
CALL_S = 4.0  # and anything else at once; a stop leaves no time for more
PAUSE_S = 2.0  # between tries while the arbiter is away
HOLD_S = 3.0  # between signs of life while the engine starts
STOPPED = 128 + signal.SIGTERM
NOT_STARTED = 127
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
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
    parser.add_argument("--kill-after-s", type=float, default=25, help="so long after a stop")
    parser.add_argument("engine", nargs="+", help="the engine's command, after --")
    options = parser.parse_args()
    if not options.arbiter.startswith(("http://", "https://")):
        parser.error("name the arbiter's address, by --arbiter or SYNAPSE_ARBITER")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))
    if options.prepare and not _prepare(options):
        return 1
    lease = Lease(options.arbiter, options.model, options.secret_file)
    engine = Engine(options.engine, options.port, options.kill_after_s)
    reason = ""
    try:
        boot_probe.tell(options.phase_file, boot_probe.WAITING)
        lease.wait()
        boot_probe.tell(options.phase_file, boot_probe.STARTING)
        status, reason = _run(engine, lease, options)
    finally:
        lease.end(reason)
    if reason:
        say(reason)
    return status if status >= 0 else 128 - status


def _run(engine: Engine, lease: Lease, options: argparse.Namespace) -> tuple[int, str]:
    """Run the engine; return its status, and why it ended where nobody told it to."""
    holder = threading.Thread(target=lease.hold, args=(engine.ended,), daemon=True)
    holder.start()
    try:
        status = engine.run(lambda: boot_probe.tell(options.phase_file, boot_probe.RUNNING))
    except OSError as error:
        return NOT_STARTED, f"{options.model}: {options.engine[0]} cannot be run: {error}"
    finally:
        holder.join(CALL_S)  # a sign of life after the end would ask for the GPU anew
    if engine.stopped:
        if engine.killed_for:
            say(f"{options.model}: {engine.killed_for}, and was killed")
        return status, ""
    if engine.killed_for:
        return status, f"{options.model}: {engine.killed_for}, so it was killed"
    loading = not engine.answered
    return status, explain(options.model, status, engine.output.lines, loading)


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
        self._setup = setup()

    def wait(self) -> None:
        """Wait for the GPU, however long it takes and whatever becomes of the arbiter."""
        said = ""
        while True:
            try:
                if self._call("wait", {"setup": self._setup}, WAIT_CALL_S)["granted"]:
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
        while True:
            try:
                if not self._call("hold", {})["held"]:
                    return
            except NO_ANSWER as error:
                say(f"the arbiter is away: {error}")
            if ended.wait(HOLD_S):
                return

    def end(self, reason: str) -> None:
        """Tell the arbiter that there is no engine any more, and why if nobody told it to end."""
        try:
            self._call("end", {"reason": reason} if reason else {})
        except NO_ANSWER as error:
            say(f"the arbiter is away: {error}")

    def _call(self, what: str, more: dict[str, str], limit_s: float = CALL_S) -> dict[str, bool]:
        url = f"{self._arbiter}/boot/{what}"
        body = json.dumps(self._who | more).encode()
        secret = Path(self._secret_file).read_text().strip()
        headers = {"content-type": "application/json", "authorization": f"Bearer {secret}"}
        request = urllib.request.Request(url, body, headers)  # noqa: S310  (checked in main)
        try:
            with urllib.request.urlopen(request, timeout=limit_s) as response:  # noqa: S310
                answer = json.load(response)
        except urllib.error.HTTPError as refused:
            raise ValueError(f"{refused}: {_words(refused)}") from refused
        if not isinstance(answer, dict):
            raise ValueError(f"{url} answered {answer!r}")
        return answer


def _words(refused: urllib.error.HTTPError) -> str:
    """Return the arbiter's own words, as far as there are any."""
    try:
        return str(json.load(refused)["error"]["message"])
    except (*NO_ANSWER, TypeError):
        return f"{refused.url} is not known there"


def setup() -> str:
    """Return a mark of what the engine is started with: a change may mend what failed before."""
    memory = MEMORY_LIMIT.read_text() if MEMORY_LIMIT.exists() else ""
    all_of_it = repr((sys.argv, sorted(os.environ.items()), memory))
    return hashlib.sha256(all_of_it.encode()).hexdigest()


def say(text: str) -> None:
    """Write one line to the container's log."""
    print(f"boot lease: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
