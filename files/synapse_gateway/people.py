"""The people behind an application: told apart by a hash that says nothing about them.

What a field made for it names a person is read here and goes no further: the queues, the usage and
the engines know the hash, and so does the log unless the site wants to read names. What a client
writes elsewhere, in its prompt or under another key of `metadata`, it has written to be sent.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from synapse_common.people import FIELD
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import App, Config

SECRET_VARIABLE = "PEOPLE_SECRET"  # noqa: S105  # a name, not its content
LONGEST = 256
"""Characters of what names a person."""
DIGITS = 16
"""Of a hash, hexadecimal."""
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
NAMES = (FIELD, "safety_identifier")
"""The fields of OpenAI's APIs, the older one first."""
WITHIN = "metadata"
"""The object that may name people too: the one place of Anthropic's API, and free for any key in
OpenAI's."""
NAMES_WITHIN = ("user_id", *NAMES)


class NoSecretError(Exception):
    """People are to be told apart, and nothing makes their hashes the same after a restart."""


class People:
    """Notes who is behind a request, and puts the hash where the name was."""

    def __init__(self, secret: bytes, *, hashed: bool) -> None:
        """Make hashes with this secret; `hashed` says whether the log has them, or the names."""
        self._secret = secret
        self._hashed = hashed

    @classmethod
    def of(cls, config: Config) -> People:
        """Take the secret of the environment; raise NoSecretError where it is missed."""
        secret = os.environ.get(SECRET_VARIABLE, "").encode()
        named = [app.name for app in config.apps.values() if app.person_from]
        if named and not secret:
            raise NoSecretError(
                f"{SECRET_VARIABLE} is not set, so the people of {', '.join(named)} could not be "
                "told apart over a restart. Set it to the entry that the deployment makes for it."
            )
        return cls(secret or secrets.token_bytes(DIGITS), hashed=config.settings.hash_people)

    def hash_of(self, app: App, name: str) -> str:
        """Return the hash of a person; the same name is another person in another application."""
        told = f"{app.name}\n{name}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, told, "sha256").hex()[:DIGITS]

    def note_header(self, record: RequestRecord, app: App, headers: Mapping[str, str]) -> None:
        """Note whom a header names, where this application's people are told apart by it."""
        header = app.person_from
        if header and header != FIELD:
            self._note(record, app, headers.get(header), header)

    def note_fields(
        self,
        record: RequestRecord,
        app: App,
        dialect: str,
        told: dict[str, Any],
        length: Callable[[str], int] = len,
    ) -> None:
        """Note whom a body names, and put hashes into it in place of names.

        It is done for every application: a provider outside is never told a name. What is no text
        is refused. `length` says how many characters a text has that may be shortened.
        """
        counts_within = dialect == "messages"
        within = told.get(WITHIN)
        for holder, names, before, counts in (
            (told, NAMES, "", not counts_within),
            (within, NAMES_WITHIN, f"{WITHIN}.", counts_within),
        ):
            if not isinstance(holder, dict):
                continue
            for name in names:
                value = holder.get(name)
                if value is None:
                    continue
                if counts and app.person_from == FIELD and record.person is None:
                    self._note(record, app, value, before + name, length)
                if not isinstance(value, str):
                    raise errors.malformed(f"'{before}{name}' must be a text.", before + name)
                if value.strip():
                    holder[name] = self.hash_of(app, value.strip())

    def note_form(self, record: RequestRecord, app: App, fields: Iterable[tuple[str, str]]) -> None:
        """Note whom a form names; no engine that hears is told of these fields."""
        if app.person_from == FIELD:
            named = {name: value for name, value in fields if name in NAMES and value.strip()}
            name = next((name for name in NAMES if name in named), FIELD)
            self._note(record, app, named.get(name), name)

    def _note(
        self,
        record: RequestRecord,
        app: App,
        value: Any,
        place: str,
        length: Callable[[str], int] = len,
    ) -> None:
        if value is None:
            return
        if not isinstance(value, str) or length(value) > LONGEST or UNFIT.search(value):
            raise errors.malformed(
                f"'{place}' names who asks: it must be a text of at most {LONGEST} characters, "
                "without control characters.",
                place,
            )
        name = value.strip()
        if name:
            record.person = self.hash_of(app, name)
            record.person_shown = record.person if self._hashed else name
