"""In which charset a form is written: UTF-8, or it is refused in a sentence.

Python knows charsets that fail on everything, decode escapes or take minutes, and the errors of
decoding hold what the client wrote.
"""

from __future__ import annotations

from email.message import Message

from python_multipart.multipart import parse_options_header

from synapse_gateway import errors

FORM = "multipart/form-data"
BOUNDARY = range(1, 71)
"""Characters of a boundary, as RFC 2046 has it."""
UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")
FIELD = "_charset_"
"""The field by which HTML's forms name their charset."""


def boundary(content_type: str) -> bytes:
    """Return what parts a form, or refuse what is no form in UTF-8."""
    kind, told = parse_options_header(content_type)
    if kind.decode("latin-1") != FORM:
        raise errors.malformed(f"The body must be {FORM}.")
    check(content_type)
    found = told.get(b"boundary", b"")
    if len(found) not in BOUNDARY:
        why = f"its boundary must have {BOUNDARY.start} to {BOUNDARY.stop - 1} characters"
        raise errors.broken_form(why)
    return found


def check(content_type: str) -> None:
    """Refuse a content type that names another charset."""
    told = Message()
    told["content-type"] = content_type
    charset = told.get_param("charset")
    if charset is not None:
        demand_utf_8(charset if isinstance(charset, str) else charset[-1])


def demand_utf_8(charset: str) -> None:
    """Refuse a charset by its name."""
    if charset.strip().lower() not in UTF_8:
        raise errors.malformed(f"Forms are read as UTF-8, not as '{charset[:40]}'.")


def text(written: bytes, what: str) -> str:
    """Return a text of a form; `what` says in a refusal which one it was."""
    try:
        return written.decode()
    except UnicodeDecodeError:
        pass  # nobody may find the error's contents in a log
    raise errors.malformed(f"The {what} is not in UTF-8.")
