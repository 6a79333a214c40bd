"""Why something is not done, in a sentence."""

from __future__ import annotations

import errno


class K3sError(Exception):
    """Why it does not go on: a sentence."""


def told(fault: OSError) -> str:
    """Say what the operating system refused."""
    if fault.errno == errno.ENOSPC:
        return (
            f"The disk of {fault.filename2 or fault.filename or 'the server'} is full. What is in "
            "place is whole; make room and run again."
        )
    return f"{fault}. What is in place is whole; run again."
