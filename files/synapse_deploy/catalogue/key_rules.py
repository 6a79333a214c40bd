"""What is worth knowing of the applications' keys: which have ended, and which end soon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from synapse_common.strict import day_of
from synapse_deploy.catalogue.rules import Found, named

SOON_DAYS = 14


def today() -> date:
    """Return the day that keys go by."""
    return datetime.now(UTC).date()


def ending_keys(site: Mapping[str, Any]) -> Found:
    """No key has ended, or ends while nobody thinks of it."""
    for app in named(site, "synapse_apps").values():
        last_day = _day(app.entry.get("key_until"))
        left = (last_day - today()).days if last_day else SOON_DAYS
        if left < 0:
            yield (
                (*app.path, "key_until"),
                f"the key ended on {last_day}: the gateway refuses it; set a later day, "
                "or take the application out",
            )
        elif left < SOON_DAYS:
            yield (
                (*app.path, "key_until"),
                f"the key ends after {last_day} (UTC); set a later day where it is still needed",
            )


def _day(written: Any) -> date | None:
    """Return a day, None for what is none."""
    try:
        return day_of(written)
    except ValueError:
        return None
