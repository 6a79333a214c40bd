"""Programs that run in a house: Home Assistant and n8n."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from synapse_deploy.clients.access import Access
from synapse_deploy.clients.formats import as_json, as_yaml

CONTEXTS = (2048, 131072)
"""The least and the most tokens that Home Assistant's form takes."""
CREDENTIAL = "synapseopenai000"
"""n8n's own identities have 16 characters; the same one is replaced by the next import."""
BRIDGE_MISSING = """\
# Voice: this site has no bridge. Write speech_wyoming: true into platform.yml, then make deploy.
"""


def home_assistant(access: Access) -> str:
    """Return what to write into its forms: the Ollama integration, and the bridge for voice."""
    chat = access.chat
    agent: dict[str, Any] = {"Model": chat.name, "Control Home Assistant": ["Assist"]}
    if not chat.may("tools"):
        agent["Control Home Assistant"] = []
    if chat.context:
        least, most = CONTEXTS
        agent["Context window size"] = max(least, min(chat.context, most))
    ollama = {"Ollama": {"URL": access.url, "API key": access.key, "Conversation agent": agent}}
    if access.voice_port is None:
        return as_yaml(ollama) + BRIDGE_MISSING
    bridge = {"Host": urlsplit(access.url).hostname, "Port": access.voice_port}
    return as_yaml(ollama | {"Wyoming Protocol": bridge})


def n8n(access: Access) -> str:
    """Return a credential that `n8n import:credentials` reads; it encrypts the key itself."""
    data = {"apiKey": access.key, "url": access.openai_url}
    name = f"Synapse ({access.app})"
    return as_json([{"id": CREDENTIAL, "name": name, "type": "openAiApi", "data": data}])
