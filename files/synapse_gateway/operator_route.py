"""What the operator alone may read: who uses what, today and this month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from synapse_gateway import errors
from synapse_gateway.config import Config
from synapse_gateway.usage.counts import Used
from synapse_gateway.usage.store import StoreError
from synapse_gateway.usage.usage import Usage

BY = ("app", "person")


class OperatorRoute:
    """Answers the route of the operator."""

    def __init__(self, config: Config, usage: Usage) -> None:
        """Tell of this use."""
        self._config = config
        self._usage = usage

    async def answer(self, query: Mapping[str, str]) -> bytes:
        """Return the use of every application, or that of the people behind one."""
        by, app = query.get("by", "app"), query.get("app", "")
        if by not in BY:
            raise errors.malformed(f"'by' must be {' or '.join(BY)}.", "by")
        if by == "person" and app not in self._config.apps:
            raise errors.malformed("'app' must name an application.", "app")
        try:
            return orjson.dumps(await (self._people(app) if by == "person" else self._apps()))
        except StoreError:
            raise errors.usage_unread() from None

    async def _apps(self) -> dict[str, object]:
        told = await self._usage.overview()
        return {
            "day": told.day,
            "apps": [
                {
                    "app": name,
                    "last_used": _written(told.last_use.get(name)),
                    "requests_today": told.today.get(name, Used()).requests,
                    "people_today": told.people.get(name, 0),
                }
                for name in self._config.apps
            ],
        }

    async def _people(self, app: str) -> dict[str, object]:
        told = await self._usage.by_person(app)
        return {
            "app": app,
            "people": [
                {
                    "person": person or None,
                    "requests": used.requests,
                    "tokens_in": used.tokens_in,
                    "tokens_out": used.tokens_out,
                    "usd": used.usd,
                }
                for person, used in sorted(told.items())
            ],
        }


def _written(at_s: float | None) -> str | None:
    return (
        None if at_s is None else datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )
