"""The chat page: the applications that it is, and what it needs of the site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import is_on_gpu
from synapse_common.secrets import CHAT_ENTRY, CHAT_TASKS_ENTRY
from synapse_deploy.catalogue.entries import ALL_MODELS, TASKS_MODEL
from synapse_deploy.catalogue.leaving import leaves
from synapse_deploy.catalogue.permission import names_of, permitted
from synapse_deploy.catalogue.rules import Found, entries_of, kind_of, named

OPTION, INGRESS = "chat_enabled", "chat_ingress"
PERSON = "X-OpenWebUI-User-Id"
"""The header in which Open WebUI says which of its users asks."""

Entry = dict[str, Any]


def chat_apps(
    models: Iterable[Entry], aliases: Iterable[Entry], apps: Iterable[Entry], wanted: bool
) -> list[Entry]:
    """Return the applications that the chat page is, but for those that the site itself has.

    It may use what the house itself serves. Its menu has the aliases of kind chat, and where there
    is none the models of that kind. Its tasks ask for a name of the page's own, in the house.
    """
    written = list(apps)
    inside = {one["name"]: one for one in models if not leaves(one)}
    behind = {one["name"]: inside[one["model"]] for one in aliases if one["model"] in inside}
    menu = _of_kind_chat(behind) or _of_kind_chat(inside)
    if not wanted or not menu:
        return []
    others = [name for name, one in (behind | inside).items() if one["kind"] != "chat"]
    allowed = {"models": [*menu, *others], "lists": list(menu)}
    made: list[Entry] = [{"name": CHAT_ENTRY, **allowed, "person_from": PERSON}]
    taken = {app["name"]: app for app in written}
    if not any(app.get("tasks_of") == CHAT_ENTRY for app in written):
        own = names_of(taken.get(CHAT_ENTRY, made[0]))
        chats = {name: one for name, one in (behind | inside).items() if name in own}
        task = _task(menu if ALL_MODELS in own else _of_kind_chat(chats))
        made += [
            {"name": CHAT_TASKS_ENTRY, "models": [one], "tasks_of": CHAT_ENTRY} for one in task
        ]
    return [app for app in made if app["name"] not in taken]


def _task(chats: Mapping[str, Entry]) -> list[str]:
    """Return the name for titles and the like: the usual one, else one that wakes no GPU model."""
    small = [name for name, one in chats.items() if not is_on_gpu(one["engine"])]
    return [TASKS_MODEL] if TASKS_MODEL in chats else [*small, *chats][:1]


def _of_kind_chat(named: Mapping[str, Entry]) -> dict[str, Entry]:
    return {name: model for name, model in named.items() if model["kind"] == "chat"}


def chat(site: Mapping[str, Any]) -> Found:
    """A site with the chat page has somebody to chat with, and an Ingress has both its parts."""
    if site.get(OPTION) is not True:
        return
    given = site.get(INGRESS)
    if isinstance(given, dict) and (given.keys() != {"host", "tls_secret"} or not _texts(given)):
        yield (INGRESS,), "must be {host: chat.example.org, tls_secret: name}, or null for none"
    models, aliases = entries_of(site, "synapse_models"), entries_of(site, "synapse_aliases")
    outside = {name for name, model in models.items() if leaves(model)}
    own = named(site, "synapse_apps").get(CHAT_ENTRY)
    app: Mapping[str, Any] = own.entry if own else {"models": [ALL_MODELS]}
    asked, may = names_of(app), permitted(app, models, aliases, outside)
    if not asked or not set(asked) <= {*models, *aliases, ALL_MODELS}:
        return  # another rule tells it
    usable = may if ALL_MODELS in asked else may.intersection(asked)
    behind = {name: models.get(str(one.get("model")), {}) for name, one in aliases.items()}
    if any(kind_of((behind | models)[name]) == "chat" for name in usable):
        return
    if own is None:
        yield (
            (OPTION,),
            "has no model to chat with in the house; add one of kind chat, or write an application "
            f"{CHAT_ENTRY} with may_leave: true",
        )
    else:
        yield (
            (*own.path, "models"),
            f"has no name of kind chat that it may use, and {OPTION} makes it the chat page; add "
            "one, such as chat; one outside the house needs may_leave: true",
        )


def _texts(given: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) and value for value in given.values())
