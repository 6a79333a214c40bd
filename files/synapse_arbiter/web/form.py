"""The fields of a multipart form, read without touching the recording in it."""

from __future__ import annotations

import re

BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
NAME = re.compile(rb'\bname="([^"]*)"')
PARTS_AT_MOST = 64
HEAD_AT_MOST = 4096
FIELD_AT_MOST = 1024
"""Bytes of a value; the only ones that are read name a model, or say yes or no."""


def fields(content_type: str, body: bytes) -> dict[str, str]:
    """Return the short values of a form; none of a body that is no form."""
    told = BOUNDARY.search(content_type)
    if told is None:
        return {}
    between = b"--" + told[1].encode("latin-1", "replace")
    found: dict[str, str] = {}
    begin = body.find(between)
    for _ in range(PARTS_AT_MOST):
        begin += len(between)
        end = body.find(b"\r\n" + between, begin)
        if end < 0:
            break
        head_end = body.find(b"\r\n\r\n", begin, min(end, begin + HEAD_AT_MOST))
        name = NAME.search(body, begin, head_end) if head_end >= 0 else None
        value = head_end + 4
        if name is not None and end - value <= FIELD_AT_MOST:
            found[name[1].decode("utf-8", "replace")] = body[value:end].decode("utf-8", "replace")
        begin = end + 2
    return found
