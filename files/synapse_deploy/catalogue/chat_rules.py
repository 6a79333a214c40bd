"""The chat page: the applications that it is, and what it needs of the site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import is_on_gpu
from synapse_common.secrets import CHAT_ENTRY, CHAT_TASKS_ENTRY
from synapse_deploy.catalogue.entries import TASKS_MODEL
from synapse_deploy.catalogue.leaving import leaves
from synapse_deploy.catalogue.rules import Found, kind_of, named

OPTION, INGRESS = "chat_enabled", "chat_ingress"
PERSON = "X-OpenWebUI-User-Id"
"""The header in which Open WebUI says which of its users asks."""

Entry = dict[str, Any]


def chat_apps(
    models: Iterable[Entry], aliases: Iterable[Entry], apps: Iterable[Entry], wanted: bool
) -> list[Entry]:
    """Return the applications that the chat page is, but for those that the site itself has.

    It may use what the house itself serves. Its menu has the aliases of kind chat, and where there
    is none the models of that kind.
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
    if not any(app.get("tasks_of") == CHAT_ENTRY for app in written):
        small = [name for name, one in menu.items() if not is_on_gpu(one["engine"])]
        task = TASKS_MODEL if TASKS_MODEL in menu else next(iter([*small, *menu]))
        made.append({"name": CHAT_TASKS_ENTRY, "models": [task], "tasks_of": CHAT_ENTRY})
    taken = {app["name"] for app in written}
    return [app for app in made if app["name"] not in taken]


def _of_kind_chat(named: Mapping[str, Entry]) -> dict[str, Entry]:
    return {name: model for name, model in named.items() if model["kind"] == "chat"}


def chat(site: Mapping[str, Any]) -> Found:
    """A site with the chat page has somebody to chat with, and an Ingress has both its parts."""
    if site.get(OPTION) is not True:
        return
    given = site.get(INGRESS)
    if isinstance(given, dict) and (given.keys() != {"host", "tls_secret"} or not _texts(given)):
        yield (INGRESS,), "must be {host: chat.example.org, tls_secret: name}, or null for none"
    if CHAT_ENTRY in named(site, "synapse_apps"):
        return
    chats = [one.entry for one in named(site, "synapse_models").values() if _chats(one.entry)]
    if not chats:
        yield (
            (OPTION,),
            "has no model to chat with in the house; add one of kind chat, or write an application "
            f"{CHAT_ENTRY} with may_leave: true",
        )


def _texts(given: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) and value for value in given.values())


def _chats(model: Mapping[str, Any]) -> bool:
    return not leaves(model) and kind_of(model) == "chat"
