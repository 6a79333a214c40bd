"""The names of the Secrets in the cluster, and of the entries in them."""

from __future__ import annotations

from datetime import UTC, datetime

MASTER_SECRET, MASTER_ENTRY = "gateway-master-key", "synapse-master"
"""The operator's own key: every model, no limits."""
PEOPLE_ENTRY = "people-secret"
"""Beside it: what the hashes of people are made with, so that these stay the same."""
APPS_SECRET = "gateway-app-keys"  # noqa: S105  # a name, not its content
"""One entry for every application."""
LITELLM_SECRET, LITELLM_ENTRY = "litellm-proxy-key", "litellm-key"
"""What opens LiteLLM; the gateway alone has it."""
BRIDGE_ENTRY = "home-assistant"
"""The application that is the bridge of Home Assistant, where a site has it."""
CHAT_ENTRY, CHAT_TASKS_ENTRY = "open-webui", "open-webui-tasks"
"""The applications that are the chat page, and its small tasks, where a site has it."""
CHAT_SECRET, CHAT_SIGNING_ENTRY, CHAT_PASSWORD_ENTRY = "open-webui", "signing-key", "password"
"""What the chat page signs its sessions with, and its first user's password."""
ADMIN_SECRET, ADMIN_ENTRY = "arbiter-admin-token", "token"
"""Who knows it may command the arbiter."""
BOOT_SECRET, BOOT_ENTRY = "arbiter-boot-secret", "secret"
"""Who knows it may ask the arbiter for the GPU to start an engine."""

MADE = "made.synapse/"
"""Before an entry's name, the annotation that says when its value was made up, in UTC."""


def made_now() -> str:
    """Return what such an annotation says of a value that is made up now."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
