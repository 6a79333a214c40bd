"""Reads a multipart form as it comes, and keeps nothing of one that is not whole.

What arrives at once is parsed piece by piece, so that others are served in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from synapse_gateway import errors
from synapse_gateway.audio import charsets
from synapse_gateway.audio.form import FIELDS_AT_MOST, Form

PIECE_BYTES = 16 * 1024
"""What is parsed at once, and in which a parser that goes on must find something."""
BOUNDARIES_AT_MOST = FIELDS_AT_MOST + 4

# It tells each fault of a form on standard error, where log lines are JSON.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


async def read(content_type: str, body: AsyncIterator[bytes]) -> Form:
    """Return a form that is whole; refuse any other, and keep nothing of it."""
    form = Form()
    boundary = charsets.boundary(content_type)
    boundaries = 0
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for arrived in body:
            for at in range(0, len(arrived), PIECE_BYTES):
                piece = arrived[at : at + PIECE_BYTES]
                # The parser takes time for each, if it ends a part or only looks like it.
                boundaries += piece.count(b"\r\n--" + boundary)
                if boundaries > BOUNDARIES_AT_MOST:
                    raise errors.broken_form("its boundary stands in it too often")
                told = form.told
                parser.write(piece)
                if form.told == told and len(piece) == PIECE_BYTES and not form.is_whole:
                    raise errors.broken_form("there is too much between its parts")
                await asyncio.sleep(0)
            await form.store()
        if not form.is_whole:
            raise errors.broken_form("it has no end")
        await form.stored()
    except FormParserError:
        await form.close()
        why = "its parts do not begin and end as its boundary says"
        raise errors.broken_form(why) from None
    except BaseException:
        await form.close()
        raise
    return form
