"""The names of the Secrets in the cluster, and of the entries in them."""

from __future__ import annotations

MASTER_SECRET, MASTER_ENTRY = "gateway-master-key", "synapse-master"
"""The operator's own key: every model, no limits."""
APPS_SECRET = "gateway-app-keys"  # noqa: S105  # a name, not its content
"""One entry for every application."""
LITELLM_SECRET, LITELLM_ENTRY = "litellm-proxy-key", "litellm-key"
"""What opens LiteLLM; the gateway alone has it."""
BRIDGE_ENTRY = "home-assistant"
"""The application that is the bridge of Home Assistant, where a site has it."""
ADMIN_SECRET, ADMIN_ENTRY = "arbiter-admin-token", "token"
"""Who knows it may command the arbiter."""
BOOT_SECRET, BOOT_ENTRY = "arbiter-boot-secret", "secret"
"""Who knows it may ask the arbiter for the GPU to start an engine."""
