"""How far clients come before they leave, or stay and say nothing: every phase of a request."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from abuse import asking, wire
from abuse.catalogue import BATCH, DEAF, HARM, MUMBLES, QUEUED, SINGS
from abuse.site import Site
from abuse.sound_engines import HEARD
from every_dialect import ASKED
from gateway_process import until
from synapse_gateway.audio.queue import KEPT

LIMIT_S = 30.0
BACK_S = 5.0
LEFT = 499
WORDS = (b"Hello", b"www", b"RIFF")
"""What answers begin with, in text and in sound."""
SPOKEN = ("/v1/audio/speech",)
LINE = "synapse_gateway_transcription_queue_length"
Ask = Callable[[str], wire.Sent]
"""Makes the request for a path."""


@dataclass(frozen=True)
class Phase:
    """How far a client comes."""

    name: str
    engine: str
    reach: Callable[[socket.socket, wire.Sent], None]
    ask: Ask
    paths: tuple[str, ...] = tuple(ASKED)
    asked: bool = False
    """An engine is at work by then, and has to be told."""
    queued: bool = False
    """It stands in line, behind others who have every turn."""
    status: int | None = LEFT
    """What its line in the log says once it has left; None: it has none."""
    hears: str = ""
    """The model whose turns must be free again."""
    each: int = 3
    """So many vanish at once on each path."""

    @property
    def complete(self) -> bool:
        """Say whether the request is whole, so that its client only waits or hears."""
        return self.asked or self.queued

    def arrived(self, site: Site) -> int:
        """Return how many have come so far that others must be told of them, or stand in line."""
        if self.queued:
            return int(site.gateway.metric(LINE, model=QUEUED))
        return int(at_work(site, self.engine)) if self.asked else 0


def at_work(site: Site, engine: str) -> int:
    """Return how many requests an engine has begun, without those that only look for speech."""
    seen = site.seen(engine)
    return int(len(seen["files"]) if engine == DEAF else seen["begun"])


def _connects(_: socket.socket, __: wire.Sent) -> None:
    """Say nothing."""


def _half_a_head(connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head[: len(sent.head) // 2])


def _half_a_body(connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head + sent.body[: len(sent.body) // 2])


def _whole(connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head + sent.body)


def _first_words(connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head + sent.body)
    heard = b""
    while not any(word in heard for word in WORDS):
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError(f"the answer ended before it said a word: {heard[-300:]!r}")
        heard += piece


def _text(model: str) -> Ask:
    return partial(_streamed, model)


def _streamed(model: str, path: str) -> wire.Sent:
    return asking.text(BATCH, model, path, stream=True)


def _form(model: str) -> Ask:
    return lambda path: asking.recording(BATCH, "left", model=model, path=path)


def _speech(model: str) -> Ask:
    return lambda path: asking.speech(BATCH, model, path)


TEXT = (
    Phase("connects", "well", _connects, _text("well"), status=None),
    Phase("sends half a head", "well", _half_a_head, _text("well"), status=None),
    Phase("sends half a body", "well", _half_a_body, _text("well")),
    Phase("waits for the first byte", "hangs", _whole, _text("hangs"), asked=True),
    Phase("has read some words", "falls_silent", _first_words, _text("falls_silent"), asked=True),
    Phase("does not read on", "flood", _first_words, _text("flood"), asked=True),
)
SOUND = (
    Phase("sends half a recording", DEAF, _half_a_body, _form(DEAF), HEARD, hears=DEAF),
    # As many as batch work has turns of a model.
    Phase(
        "waits for its transcript", DEAF, _whole, _form(DEAF), HEARD, asked=True, hears=DEAF, each=1
    ),
    Phase("waits for its turn", DEAF, _whole, _form(QUEUED), HEARD, queued=True, hears=QUEUED),
    Phase("has taken some sound", MUMBLES, _first_words, _speech(MUMBLES), SPOKEN, asked=True),
    Phase("does not take more sound", SINGS, _first_words, _speech(SINGS), SPOKEN, asked=True),
)


@contextlib.contextmanager
def ahead(site: Site, phase: Phase) -> Iterator[None]:
    """Let others have every turn of the model where a client shall wait in line."""
    with contextlib.ExitStack() as stack:
        if phase.queued:
            stack.enter_context(occupied(site, QUEUED, turns(site)))
        yield


def turns(site: Site) -> int:
    """Return how many recordings one model hears at once, where some are short commands."""
    return site.settings.transcription_concurrency + KEPT


@contextlib.contextmanager
def occupied(site: Site, model: str, number: int) -> Iterator[None]:
    """Have so many recordings heard or in line; raise AssertionError where they find no place."""
    begun, waiting = at_work(site, DEAF), max(0, number - turns(site))

    def there() -> bool:
        heard = at_work(site, DEAF) - begun
        line = site.gateway.metric(LINE, model=model)
        return heard + waiting >= number and line >= waiting

    with contextlib.ExitStack() as stack:
        for _ in range(number):
            connection = stack.enter_context(wire.connected(site.gateway.port))
            _whole(connection, asking.recording(HARM, "ahead", model=model))
        until(there, BACK_S, lambda: f"{model}: {at_work(site, DEAF) - begun} are heard")
        yield


def turns_back(site: Site, model: str) -> bool:
    """Say whether an application finds every turn of a model, and all its places for uploads."""
    try:
        with occupied(site, model, site.settings.uploads_at_once // 2):
            return True
    except AssertionError:
        return False
