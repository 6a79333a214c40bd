"""What leaves the house and what it may cost: chains that lead outside, prices, monthly limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common import words
from synapse_common.engines import LITELLM
from synapse_common.place import Path
from synapse_common.price import COUNTED
from synapse_deploy.catalogue.entries import ALL_MODELS, TASKS_MODEL
from synapse_deploy.catalogue.leaving import ways_out
from synapse_deploy.catalogue.rules import Found, Placed, entries_of, kind_of, named

IN_ALL = "gateway_monthly_usd"


def leaving(site: Mapping[str, Any]) -> Found:
    """An application that may not leave names nothing outside, and no chain leads it there."""
    models = entries_of(site, "synapse_models")
    for app in named(site, "synapse_apps").values():
        if app.entry.get("may_leave") is True:
            continue
        for path, name, start in _asked(site, app):
            for chain in ways_out(start, models):
                # What is outside is no part of "all" that such an application sees; of what is in
                # the house, each last step out is told once.
                if name != ALL_MODELS or len(chain) == 2:
                    yield path, _leads_out(name, chain)


def prices(site: Mapping[str, Any]) -> Found:
    """A price says what counts for its kind of model, and is there where a limit needs it."""
    limited = _limited(site)
    for name, model in named(site, "synapse_models").items():
        kind, price = kind_of(model.entry), model.entry.get("price")
        ways = COUNTED.get(kind, ())
        wanted = words.either([" and ".join(way) for way in ways]) if ways else ""
        if isinstance(price, Mapping):
            known = {key for key, value in price.items() if value is not None}
            if not any(known.issuperset(way) for way in ways):
                yield (*model.path, "price"), f"must have {wanted}: that is what kind {kind} takes"
            for key in sorted(known - {key for way in ways for key in way}):
                yield (*model.path, "price", key), f"is not for kind {kind}; write {wanted}"
        elif name in limited and model.entry["engine"] != LITELLM.name:  # which has a list
            yield (
                model.path,
                f"its price is not known, and {limited[name]} limits what it may cost; write price "
                f"with {wanted}",
            )


def limits(site: Mapping[str, Any]) -> Found:
    """A limit of an application limits something, and what is for its tasks does not pass it by."""
    apps = named(site, "synapse_apps")
    for app in apps.values():
        is_limited = app.entry.get("monthly_usd") is not None
        if app.entry.get("may_leave") is not True:
            if is_limited:
                yield (
                    (*app.path, "monthly_usd"),
                    "limits what models outside the house cost, and the application may not ask "
                    "them; write may_leave: true beside it, or take it out",
                )
            continue
        other = apps.get(str(app.entry.get("tasks_of")))
        if other is not None and other.entry.get("monthly_usd") is not None and not is_limited:
            yield (
                (*app.path, "may_leave"),
                f"has no limit in money beside it, and monthly_usd of {app.entry['tasks_of']} does "
                "not count for it; write a monthly_usd of its own",
            )


def _leads_out(name: str, chain: list[str]) -> str:
    """Say how a name leads out of the house, and what to write."""
    *inside, outside = chain
    may = "write may_leave: true for the application"
    if not inside:
        alias = f" stands for {outside}, which" if name != outside else ""
        return f'"{name}"{alias} is outside the house; {may}, or take it out'
    way = " -> ".join(chain if name in (inside[0], ALL_MODELS) else [name, *chain])
    return (
        f'"{name}" leads out of the house, {way}; {may}, or take {outside} out of the fallbacks '
        f"of {inside[-1]}"
    )


def _asked(site: Mapping[str, Any], app: Placed) -> Iterator[tuple[Path, str, str]]:
    """Yield every name that an application may ask for: its place, and the model behind it."""
    aliases = {
        name: str(alias.entry.get("model"))
        for name, alias in named(site, "synapse_aliases").items()
    }
    places = app.names("models")
    if not places and app.entry.get("tasks_of"):
        places = [((*app.path, "tasks_of"), TASKS_MODEL)]
    for path, name in places:
        if name == ALL_MODELS:
            yield from ((path, name, model) for model in entries_of(site, "synapse_models"))
        else:
            yield path, name, aliases.get(name, name)


def _limited(site: Mapping[str, Any]) -> dict[str, str]:
    """Return the models outside that count for a limit, each with the limit's name."""
    models, found = entries_of(site, "synapse_models"), dict[str, str]()
    for name, app in named(site, "synapse_apps").items():
        own = f"monthly_usd of {name}" if app.entry.get("monthly_usd") is not None else ""
        limit = own or (IN_ALL if site.get(IN_ALL) is not None else "")
        if app.entry.get("may_leave") is True and limit:
            for _, _, start in _asked(site, app):
                found |= {chain[-1]: limit for chain in ways_out(start, models)}
    return found
