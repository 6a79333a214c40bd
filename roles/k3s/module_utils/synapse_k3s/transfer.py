"""Downloads that go on where they broke off."""

from __future__ import annotations

import errno
import http.client
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from .fault import K3sError
from .release import PIECE, STAGING

ATTEMPTS = 3
SPARE_BYTES = 64 << 20


def download(url: str, part: Path, stall_s: int, goes_on: bool = True) -> None:
    """Fetch what lies at an address, from where it broke off; a few attempts, each told by none."""
    part.parent.mkdir(parents=True, exist_ok=True)
    if not goes_on and part.exists():
        part.unlink()
    why = ""
    for _ in range(ATTEMPTS):
        try:
            return receive(url, part, stall_s)
        except urllib.error.HTTPError as fault:
            why = f"it answers {fault.code} {fault.reason}"
            if fault.code == 416:
                part.unlink()
            elif fault.code < 500:
                break
        except (OSError, http.client.HTTPException) as fault:
            if getattr(fault, "errno", None) == errno.ENOSPC:
                part.unlink()
                raise K3sError(
                    f"The disk of /{STAGING} is full; {part.stem} was deleted and nothing was "
                    "put in place. Make room and run again."
                ) from None
            why = str(getattr(fault, "reason", "") or fault or type(fault).__name__)
    raise K3sError(unreached(url, why))


def receive(url: str, part: Path, stall_s: int) -> None:
    """Append what is missing of a file."""
    have = part.stat().st_size if part.is_file() else 0
    from_there = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=from_there)  # noqa: S310
    with urllib.request.urlopen(request, timeout=stall_s) as answer:  # noqa: S310
        goes_on = answer.status == 206
        wanted = int(answer.headers.get("Content-Length") or 0)
        free = shutil.disk_usage(part.parent).free
        if free < wanted + SPARE_BYTES:
            raise K3sError(
                f"{part.stem} needs {mib(wanted + SPARE_BYTES)} MiB more at {part.parent}, and "
                f"{mib(free)} MiB are free. Nothing was put in place. Make room and run again."
            )
        with part.open("ab" if goes_on else "wb") as opened:
            got = 0
            while piece := answer.read(PIECE):
                opened.write(piece)
                got += len(piece)
    if got < wanted:
        raise OSError(f"the connection was cut after {have * goes_on + got} bytes")


def unreached(url: str, why: str) -> str:
    """Say that an address cannot be read."""
    return (
        f"{url} cannot be read from the server: {why}. Nothing was put in place. Look at its "
        "network, name server and synapse_proxy, and run again: what was fetched is kept."
    )


def mib(number: int) -> int:
    """Return bytes in whole MiB, rounded up."""
    return -(-number >> 20)
