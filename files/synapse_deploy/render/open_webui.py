"""The chat page: what its pod is told, who may come in, where it may go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import GATEWAY_PORT
from synapse_common.secrets import (
    APPS_SECRET,
    CHAT_ENTRY,
    CHAT_PASSWORD_ENTRY,
    CHAT_SECRET,
    CHAT_SIGNING_ENTRY,
)
from synapse_deploy.catalogue.leaving import leaves
from synapse_deploy.clients import open_webui
from synapse_deploy.clients.access import access, apps_of
from synapse_deploy.render.network import service_port, tcp

Entry = Mapping[str, Any]

PORT = 8080
DATA, SCRATCH = "/app/backend/data", "/tmp"  # noqa: S108  # volumes of the pod
# Beside these two it writes nothing: tried with its package, under a root that is read-only.
PLACE = {
    "HOME": SCRATCH,
    "STATIC_DIR": f"{SCRATCH}/static",
    "PYTHONDONTWRITEBYTECODE": "1",
    # Who may come in is decided by its first user, in its own pages.
    "DEFAULT_USER_ROLE": "pending",
}


def environment(
    models: Iterable[Entry],
    names: Iterable[Entry],
    apps: Iterable[Entry],
    gateway_url: str,
    settings: Entry,
) -> list[dict[str, Any]]:
    """Return its environment: the keys by reference first, then what refers to them."""
    every = {app["name"]: app for app in apps}
    keys = {
        one: _variable(one)
        for one in (CHAT_ENTRY, *(app["name"] for app in apps_of(every, CHAT_ENTRY)))
    }
    here = access(
        CHAT_ENTRY,
        [{**model, "leaves": leaves(model)} for model in models],
        names,
        every.values(),
        gateway_url,
        {app: f"$({variable})" for app, variable in keys.items()},
    )
    values = open_webui.environment(here) | PLACE | _account(settings) | _page(settings)
    return [
        *(_secret(variable, APPS_SECRET, app) for app, variable in keys.items()),
        _secret("WEBUI_SECRET_KEY", CHAT_SECRET, CHAT_SIGNING_ENTRY),
        _secret("WEBUI_ADMIN_PASSWORD", CHAT_SECRET, CHAT_PASSWORD_ENTRY),
        *({"name": name, "value": value} for name, value in values.items()),
    ]


def _account(settings: Entry) -> dict[str, str]:
    """Return the account that is there from the start, so that no visitor becomes the first."""
    signup = "true" if settings["signup"] else "false"
    return {"WEBUI_ADMIN_EMAIL": settings["admin"], "ENABLE_SIGNUP": signup}


def _page(settings: Entry) -> dict[str, str]:
    """Return the page's own address, where it is reached by HTTPS alone."""
    host = (settings["ingress"] or {}).get("host")
    if not host:
        return {}
    told = {"WEBUI_URL": f"https://{host}"}
    if settings["service_type"] != "ClusterIP":
        return told
    return told | {"CORS_ALLOW_ORIGIN": f"https://{host}", "WEBUI_SESSION_COOKIE_SECURE": "true"}


def secrets() -> list[dict[str, Any]]:
    """Return the Secret to make up: what it signs with, and the first user's password."""
    entries = (CHAT_SIGNING_ENTRY, CHAT_PASSWORD_ENTRY)
    return [{"name": CHAT_SECRET, "keys": [{"name": name, "prefix": ""} for name in entries]}]


def service_ports(port: int, service_type: str, node_port: int | None) -> list[dict[str, Any]]:
    """Return the ports of the Service; only one of type NodePort may name the node's port."""
    return service_port("http", port, service_type, node_port)


def ingress() -> list[dict[str, Any]]:
    """Return who may come in: anybody; the page asks for a password."""
    return [{"ports": [tcp(PORT)]}]


def egress(gateway: Entry) -> list[dict[str, Any]]:
    """Return where it may go: the gateway, and nowhere else."""
    return [{"to": [{"podSelector": {"matchLabels": dict(gateway)}}], "ports": [tcp(GATEWAY_PORT)]}]


def _variable(app: str) -> str:
    return f"{app.upper().replace('-', '_')}_KEY"


def _secret(variable: str, secret: str, entry: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": entry}}}
