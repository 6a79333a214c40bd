"""What a gateway stands on goes away: the name server, the disk."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from abuse import asking, wire
from abuse.catalogue import HARM, OTHERS, PARALLEL, WELL
from abuse.site import running
from abuse.story import Row, told
from gateway_process import until

SUPPORT = Path(__file__).parents[1]
SILENT_NAME_SERVER = SUPPORT / "silent_name_server"
"""Silent about one domain."""
NAMELESS = [f"nameless-{number}" for number in range(8)]
NAMED = "named"
FULL_DISK = SUPPORT / "full_disk"
LONG_S = 120.0
"""A recording that needs more room than there is, 3.7 MiB."""
ASKED = 10
LIMIT_S = 10.0


def no_name_server(ports: Mapping[str, int]) -> Row:
    """Ask for models at a name that nobody tells; one at another name must not notice."""
    addressed = {name: f"http://{name}.nameless.test:80/v1" for name in NAMELESS}
    addressed |= {NAMED: f"http://localhost:{ports[WELL]}/v1"}
    with (
        running(ports, SILENT_NAME_SERVER, addressed=addressed) as site,
        told(site, "the name server does not answer") as story,
        ThreadPoolExecutor(PARALLEL) as pool,
    ):
        waiting = [
            pool.submit(wire.exchange, site.gateway.port, asking.text(HARM, name))
            for name in NAMELESS
        ]
        until(lambda: site.in_flight() >= len(NAMELESS), LIMIT_S, str)
        named = [wire.exchange(site.gateway.port, asking.text(OTHERS, NAMED)) for _ in range(ASKED)]
        refused = sum(answer.status != 200 for answer in named)
        story.expect(not refused, f"{refused} of {ASKED} at another name were refused")
        story.add(*[each.result() for each in waiting])
    return story.ended


def full_disk(ports: Mapping[str, int]) -> Row:
    """Upload what has no room: an error in words, and the log does not say that a client left."""
    with (
        running(ports, FULL_DISK) as site,
        told(site, "the disk is full during an upload") as story,
    ):
        before = len(site.gateway.lines)
        long = [
            wire.exchange(site.gateway.port, asking.recording(HARM, "long", LONG_S))
            for _ in range(PARALLEL)
        ]
        short = wire.exchange(site.gateway.port, asking.recording(HARM, "short"))
        story.add(*long, short)
        story.expect(short.status == 200, f"a short recording: {short.reason}")
        for answer in long:
            what = f"{answer.status} {answer.reason}"
            story.expect(answer.status in (503, 507), f"the client was told {what}")
        blamed = sum(line.get("status") == 499 for line in site.gateway.lines[before:])
        story.expect(not blamed, f"{blamed} lines say that the client left")
    return story.ended
