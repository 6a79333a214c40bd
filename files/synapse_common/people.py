"""What may tell the people behind an application apart: a field of its requests, or a header."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from synapse_common.strict import Text

FIELD = "user"
"""The word for the field of a body; every dialect has one of its own."""
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
OURS = ("x-synapse-", "x-request-id")
SPOKEN_FOR = frozenset({
    "authorization", "proxy-authorization", "x-api-key", "api-key", "cookie",
    "host", "connection", "origin", "accept", "user-agent", "expect", "upgrade",
    "content-length", "content-type", "content-encoding", "transfer-encoding",
    "forwarded", "x-forwarded-for", "x-real-ip",
})  # fmt: skip
"""Headers that hold a key, or what HTTP itself means by them."""


def _checked(name: str) -> str:
    small = name.lower()
    hint = "write user, or the name of a header such as X-OpenWebUI-User-Id"
    if small == FIELD and name != FIELD:
        raise ValueError(f'"{name}" is not valid; write user, in small letters')
    if not HEADER.fullmatch(name):
        raise ValueError(f'"{name}" is not valid; {hint}')
    if small in SPOKEN_FOR or small.startswith(OURS):
        raise ValueError(f'"{name}" has another meaning and names no person; {hint}')
    return name


PersonFrom = Annotated[Text, AfterValidator(_checked)]
