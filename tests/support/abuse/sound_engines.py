"""Engines that hear and speak: well, by the length of a recording, or not to the end."""

from __future__ import annotations

from abuse import engine_answers as answers
from abuse.taken import Request

HEARD = ("/v1/audio/transcriptions", "/v1/audio/translations")
HEARING_S = 0.3
"""How long `ears` takes for each recording, whatever its length."""
HELD_S = 600.0
BYTES_A_SECOND = 60 * 32_000
"""What `paced_ears` hear in a second: a minute of sound, whoever else is heard meanwhile."""
PIECES, PIECE = 256, bytes(64 * 1024)
"""16 MiB: more than fits into the buffers of a connection."""


async def ears(asked: Request) -> None:
    """Hear a recording for a while."""
    if asked.path in HEARD:
        await asked.pause(HEARING_S)
    await asked.send(answers.whole(asked.path, streams=False))


async def paced_ears(asked: Request) -> None:
    """Hear a recording for as long as its length wants."""
    if asked.path in HEARD:
        await asked.pause(len(asked.body) / BYTES_A_SECOND)
    await asked.send(answers.whole(asked.path, streams=False))


async def deaf(asked: Request) -> None:
    """Find speech in a recording, and never say what it heard."""
    if asked.path in HEARD:
        await asked.pause(HELD_S)
    await asked.send(answers.whole(asked.path, streams=False))


async def mumbles(asked: Request) -> None:
    """Speak for a moment, then say nothing more."""
    await asked.send(answers.sound_head(), PIECE)
    await asked.pause(HELD_S)


async def sings(asked: Request) -> None:
    """Speak for minutes, as fast as it is taken."""
    await asked.send(answers.sound_head())
    for _ in range(PIECES):
        await asked.send(PIECE)


BEHAVIOURS = {one.__name__: one for one in (ears, paced_ears, deaf, mumbles, sings)}
