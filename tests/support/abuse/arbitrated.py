"""The same behind the real arbiter: what it reads of a body must not hold up the others either."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from abuse import bodies, cases
from abuse.catalogue import ARBITRATED, WELL
from abuse.shapes import Shape
from abuse.site import START_S, Site, running
from abuse.story import Row
from free_ports import free_ports
from gateway_process import environment
from http_process import serving

TRIED = 6
"""Of the worst bodies known, so many at most in each dialect."""


@contextlib.contextmanager
def before_arbiter(ports: Mapping[str, int]) -> Iterator[Site]:
    """Run the gateway before an arbiter whose only model is awake."""
    inference, boot, metrics, operator = free_ports(4)
    model = {"name": ARBITRATED, "url": f"http://127.0.0.1:{ports[WELL]}", "vram_gib": 24}
    told = {
        "ports": {
            "inference": inference, "boot": boot, "metrics": metrics, "operator": operator,
        },
        "gpu": {"vram_gib": 32, "vram_source": "none"},
        "models": [model | {"concurrency": 64}],
        "limits": {"watch_s": 3600},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "arbiter.yaml").write_text(yaml.safe_dump(told))
        command = [sys.executable, "-m", "synapse_arbiter", "--config", "arbiter.yaml"]
        url, log = f"http://127.0.0.1:{inference}", Path(folder) / "arbiter.txt"
        with serving(
            command,
            url,
            log,
            start_s=START_S,
            environment=environment(),
            cwd=Path(folder),
            health="/readyz",
        ) as process:
            addressed = {ARBITRATED: f"http://127.0.0.1:{inference}/v1"}
            with running(ports, addressed=addressed, pids=(process.pid,)) as site:
                yield site


def replay(ports: Mapping[str, int]) -> Row:
    """Send the worst bodies known to a model behind the arbiter, where others ask it too."""
    known = [shape for shape in cases.load() if isinstance(shape, Shape) and not shape.model]
    paths = [shape.path for shape in known if shape.path in CHATS]
    asked = [
        replace(shape, model=ARBITRATED)
        for path in dict.fromkeys(paths)
        for shape in [one for one in known if one.path == path and one.where][:TRIED]
    ]
    with before_arbiter(ports) as site:
        return bodies.replay(site, "the worst bodies known, through the arbiter", asked, ARBITRATED)


CHATS = ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat")
