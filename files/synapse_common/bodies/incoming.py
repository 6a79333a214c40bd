"""A body on its way in: its structure is counted, and long base64 is set aside, piece by piece.

Parsing holds the interpreter, and what it costs is told by the signs of JSON and by the text, not
by the bytes: a megabyte of `[]` costs more than twenty of a picture. The signs are counted wherever
they stand, in texts too, because that is done at the speed of memory; so the limits are generous.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

from synapse_common.bodies.aside import Aside

MIB = 1024**2
BASE64 = (string.ascii_letters + string.digits + "+/").encode()
BLOCK = 64 * 1024
"""Bytes that are looked at together; a smaller body is kept as it is."""
LONG = 16 * 1024
"""Letters of base64 in a row from which on they are set aside; no number is as long."""


@dataclass(frozen=True)
class BodyLimits:
    """What one body may hold; at the limit, parsing takes about 30 ms."""

    text_bytes: int = 8 * MIB
    """All but long base64."""
    entries: int = 400_000
    """Commas."""
    containers: int = 100_000
    """Brackets and braces that open."""
    keys: int = 200_000
    """Colons."""


class TooMuchError(Exception):
    """A body holds more than is taken; the text is a sentence for whoever sent it."""


class TooMuchTextError(TooMuchError):
    """It is too large, beside what it holds in base64."""


@dataclass(frozen=True)
class Body:
    """What arrived."""

    size: int
    """All bytes that came."""
    text: bytes | bytearray
    """The JSON, with marks in place of what is aside."""
    aside: Aside
    entries: int = 0
    containers: int = 0
    keys: int = 0

    @property
    def costs(self) -> int:
        """Return the most memory that it takes from here on: as text, parsed, and written anew.

        One character beyond the others makes four bytes of each. A text in a list takes about 60
        bytes beside its own, an object about 250. What the parser takes while it works is not in
        it, about five times the text: one body is parsed at a time.
        """
        text = len(self.text)
        widest = 3 if self.text.isascii() and b"\\u" not in self.text else 8
        objects = 60 * self.entries + 250 * self.containers + 100 * self.keys
        return self.aside.size + widest * text + objects


class Incoming:
    """Takes in the pieces of one body."""

    __slots__ = (
        "_aside", "_containers", "_entries", "_keys", "_limits", "_run", "_sets_aside", "_text",
        "_waiting", "_waits", "size",
    )  # fmt: skip

    def __init__(self, limits: BodyLimits, *, sets_aside: bool = True) -> None:
        """Begin before the first byte; without `sets_aside` base64 is text like all other."""
        self._limits = limits
        self._sets_aside = sets_aside
        self._aside = Aside()
        self._text = bytearray()
        self._waiting: list[bytes] = []
        self._waits = 0
        self._run: list[bytes] = []
        """Base64 that may go on."""
        self._entries = self._containers = self._keys = 0
        self.size = 0

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes; raise TooMuchError as soon as they are more than is taken."""
        self.size += len(piece)
        self._waits += len(piece)
        self._waiting.append(piece)
        if self._waits >= BLOCK:
            self._sort(self._block())

    def finish(self) -> Body:
        """Return the whole; raise TooMuchError as `feed` does."""
        last = self._block()
        if self.size < BLOCK:
            self._keep(last)
        else:
            self._sort(last)
            self._end_run()
        counted = self._entries, self._containers, self._keys
        return Body(self.size, self._text, self._aside, *counted)

    def _block(self) -> bytes:
        waiting, self._waiting, self._waits = self._waiting, [], 0
        return waiting[0] if len(waiting) == 1 else b"".join(waiting)

    def _sort(self, block: bytes) -> None:
        if len(block) < 2 * BLOCK or not self._sets_aside:
            self._look(block)
            return
        for at in range(0, len(block), BLOCK):
            self._look(block[at : at + BLOCK])

    def _look(self, block: bytes) -> None:
        """Sort the bytes of a block: a run that goes on, text, and what may become a run."""
        if not self._sets_aside:
            self._keep(block)
            return
        if not block.translate(None, BASE64):
            self._run.append(block)
            return
        if self._run:
            after = block.lstrip(BASE64)
            self._run.append(block[: len(block) - len(after)])
            self._end_run()
            block = after
        text = block.rstrip(BASE64)
        self._keep(text)
        self._run = [block[len(text) :]]

    def _end_run(self) -> None:
        run, self._run = [piece for piece in self._run if piece], []
        if sum(map(len, run)) >= LONG:
            self._keep(self._aside.take(run))
        else:
            for piece in run:
                self._keep(piece)

    def _keep(self, text: bytes) -> None:
        self._text += text
        limits = self._limits
        if len(self._text) > limits.text_bytes:
            raise TooMuchTextError(
                f"The body has more than {limits.text_bytes / MIB:g} MiB beside what it holds in "
                "base64; send less text in one request."
            )
        self._entries += text.count(b",")
        self._containers += text.count(b"[") + text.count(b"{")
        self._keys += text.count(b":")
        if self._entries > limits.entries:
            raise _too_many(limits.entries, "commas")
        if self._containers > limits.containers:
            raise _too_many(limits.containers, "opening brackets and braces")
        if self._keys > limits.keys:
            raise _too_many(limits.keys, "colons")


def _too_many(limit: int, what: str) -> TooMuchError:
    return TooMuchError(
        f"The body has more than {limit} {what}, those in its texts included; "
        "send less in one request."
    )


def at_once(data: bytes, limits: BodyLimits | None = None) -> Body:
    """Return a body that is there as a whole; raise TooMuchError as `Incoming` does."""
    incoming = Incoming(limits or BodyLimits())
    incoming.feed(data)
    return incoming.finish()
