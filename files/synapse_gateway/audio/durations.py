"""How long a recording is, as far as the file says so itself; nothing is decoded here.

A file may lie. So this only decides early: what the engine's own search for speech finds counts
more (speech_detection.py).
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable

END_BYTES = 256 * 1024
"""What is looked at of a file's beginning and of its end."""
PAGE_HEAD_BYTES = 23
"""After the name of a page of Ogg."""
UNREADABLE = (wave.Error, EOFError, RuntimeError, ZeroDivisionError, ValueError, IndexError)
"""What broken files meet; RuntimeError is `wave`'s for a part that is longer than its file."""
OPUS_RATE = 48_000
"""Of the samples that Ogg counts, whatever was recorded."""


def told_s(first: bytes, last: bytes, size: int) -> float | None:
    """Return the seconds that a file's two ends tell of it; None where they tell nothing."""
    found: float | None = None
    for is_it, read in READERS:
        if is_it(first):
            try:
                found = read(first, last, size)
            except UNREADABLE:
                return None
    return found


def _wav(first: bytes, _last: bytes, size: int) -> float | None:
    with wave.open(io.BytesIO(first), "rb") as wav:
        bytes_a_second = wav.getframerate() * wav.getsampwidth() * wav.getnchannels()
        whole_s = wav.getnframes() / wav.getframerate()
    held_s = size / bytes_a_second
    # A truncated file is shorter than it says; one that was still being recorded says nothing.
    return min(whole_s, held_s) if whole_s else held_s


def _flac(first: bytes, _last: bytes, _size: int) -> float | None:
    facts = int.from_bytes(first[18:26])  # 20 bits rate, 8 of other things, 36 bits samples
    samples = facts & (2**36 - 1)
    return samples / (facts >> 44) if samples else None


def _ogg(first: bytes, last: bytes, _size: int) -> float | None:
    vorbis = first.find(b"\x01vorbis")
    rate = OPUS_RATE if b"OpusHead" in first else _number(first, vorbis + 12) if vorbis > 0 else 0
    page = last.rfind(b"OggS", 0, -PAGE_HEAD_BYTES)
    samples = int.from_bytes(last[page + 6 : page + 14], "little", signed=True) if page >= 0 else 0
    return samples / rate if samples > 0 else None


def _mp4(first: bytes, last: bytes, _size: int) -> float | None:
    for end in (first, last):
        at = end.find(b"mvhd") + 4
        if at > 4:
            wide = end[at] == 1
            scale = at + (20 if wide else 12)
            length = 8 if wide else 4
            units = int.from_bytes(end[scale + 4 : scale + 4 + length])
            return units / int.from_bytes(end[scale : scale + 4])
    return None


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes, bytes, int], float | None]], ...] = (
    (lambda first: first.startswith(b"RIFF"), _wav),
    (lambda first: first.startswith(b"fLaC"), _flac),
    (lambda first: first.startswith(b"OggS"), _ogg),
    (lambda first: first[4:8] == b"ftyp", _mp4),
)
