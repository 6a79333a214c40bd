"""How long a command waits behind other recordings, beside one recording's turn in the same run.

The engine takes the same for a recording whoever else is heard: what it costs real ones to hear
several at once is measured on them, by `make bench-speech`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from abuse import asking, wire
from abuse.catalogue import BATCH, HARM, OTHERS, PACED_EARS
from abuse.crowds import RECORDINGS
from abuse.site import Site
from gateway_process import until

COMMAND_S = 1.0
BATCH_S, LONG_S = 36.0, 360.0
"""Of sound: heard in 0.6 s, and in 6 s."""
BESIDE_LONG_S = 5.0
LIMIT_S = 30.0


def behind_batch(site: Site) -> tuple[float, float]:
    """Return what a command takes alone and behind batch recordings, in turns of one of these."""
    turn_s = _heard_s(site, BATCH, BATCH_S)
    alone_s = _heard_s(site, HARM, COMMAND_S)
    with _others(site, BATCH, BATCH_S, RECORDINGS):
        return alone_s / turn_s, _heard_s(site, HARM, COMMAND_S) / turn_s


def beside_long(site: Site) -> tuple[float, float]:
    """Return the seconds that a command takes alone, and while long ones have all their turns."""
    alone_s = _heard_s(site, HARM, COMMAND_S)
    with _others(site, OTHERS, LONG_S, site.settings.transcription_concurrency):
        return alone_s, _heard_s(site, HARM, COMMAND_S)


@contextlib.contextmanager
def _others(site: Site, app: str, seconds: float, number: int) -> Iterator[None]:
    """Have recordings heard in every turn there is for them, and the rest wait."""
    turns = min(number, site.settings.transcription_concurrency)
    begun = len(site.seen(PACED_EARS)["files"])
    with ThreadPoolExecutor(number) as pool:
        asked = [pool.submit(_heard_s, site, app, seconds) for _ in range(number)]
        until(lambda: len(site.seen(PACED_EARS)["files"]) >= begun + turns, LIMIT_S, str)
        yield
        for each in asked:
            each.result()


def _heard_s(site: Site, app: str, seconds: float) -> float:
    """Return how long an application waits for what was said; for ever where it is refused."""
    sent = asking.recording(app, app, seconds, PACED_EARS)
    answer = wire.exchange(site.gateway.port, sent)
    return answer.seconds if answer.status == 200 else float("inf")
