"""Who may ask: by which name, from which page, and with which secret."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from synapse_arbiter.errors import RefusedError
from synapse_common.addresses import is_address

BEARER = "Bearer "
OWN = ("same-origin", "none")  # what a browser says of a page of ours, and of an address typed in


class Lock:
    """Lets in who knows the secret in a file; it is read anew each time, to be rotated."""

    def __init__(self, file: str | None, setting: str, wanted: str) -> None:
        """Ask for the `wanted` secret, whose file the `setting` names."""
        self._file = file
        self._setting = setting
        self._wanted = wanted

    def check(self, request: web.BaseRequest) -> None:
        """Let a call with the secret pass, or raise RefusedError."""
        if self._file is None:
            message = f"Such calls are off: no {self._setting} is configured."
            raise RefusedError("forbidden", message)
        try:
            secret = Path(self._file).read_text().strip()
        except OSError as error:
            message = f"The {self._setting} cannot be read: {error}."
            raise RefusedError("forbidden", message) from error
        given = request.headers.get("authorization", "")
        known = given.removeprefix(BEARER).encode(errors="surrogateescape")  # text or not
        same = hmac.compare_digest(known, secret.encode())
        if not secret or not same or not given.startswith(BEARER):
            raise RefusedError("unauthorized", f"This call needs {self._wanted}.")


class Names:
    """Lets in who asks for one of our own names.

    A page can have a name of its own lead to this machine (DNS rebinding), but it cannot have an
    address or `localhost` for a name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Go by these names, and by every address."""
        self._names = {"localhost", *(name.lower() for name in names)}

    def check(self, request: web.BaseRequest) -> None:
        """Let a call by one of the names pass, or raise RefusedError."""
        hosts = request.headers.getall("host", [])
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            raise RefusedError("forbidden", "The arbiter is not asked by this name (Host).")

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name = parts.hostname or ""
        except ValueError:
            return False
        if parts.netloc != host or "@" in host:
            return False
        return name in self._names or is_address(name)


def refuse_other_sites(request: web.BaseRequest) -> None:
    """Raise RefusedError for what a page of another site asks; a link to ours may be followed."""
    headers = request.headers
    followed = request.method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    foreign = headers.get("sec-fetch-site", "none") not in OWN and not followed
    origin = headers.get("origin")
    if foreign or (origin is not None and urlsplit(origin).netloc != headers.get("host")):
        raise RefusedError("forbidden", "The arbiter takes no calls from pages of other sites.")


def refuse_pages(request: web.BaseRequest) -> None:
    """Raise RefusedError for whatever a page in a browser asks: engines have no browser."""
    if "origin" in request.headers or "sec-fetch-site" in request.headers:
        raise RefusedError("forbidden", "The arbiter takes no such call from a page in a browser.")
