"""Every client that settings are printed for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from synapse_deploy.clients import coding, house, open_webui, packages
from synapse_deploy.clients.access import Access
from synapse_deploy.clients.formats import env

Format = Literal["env", "json", "python", "toml", "yaml"]


@dataclass(frozen=True)
class Client:
    """One client, and how its settings are written."""

    format: Format
    remark: str
    """Where they go, and what to know; a page in docs/clients/ says the rest."""
    write: Callable[[Access], str]

    def settings(self, access: Access) -> str:
        """Return what it takes, with the remark as comments where its format has them."""
        head = "" if self.format == "json" else _comments(self.remark)
        return head + self.write(access)


def _comments(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


FORMS = "It keeps its settings itself; these are the fields of its forms."
EVERY: dict[str, Client] = {
    "claude-code": Client(
        "json", "For ~/.claude/settings.json, beside what is in it.", coding.claude_code
    ),
    "cline": Client("yaml", f"Cline in an editor, its settings (gear). {FORMS}", coding.cline),
    "codex": Client("toml", "For ~/.codex/config.toml; it has the key in it.", coding.codex),
    "continue": Client("yaml", "For ~/.continue/config.yaml.", coding.continue_dev),
    "home-assistant": Client(
        "yaml",
        f"Settings, Devices & services, Add integration. {FORMS}",
        house.home_assistant,
    ),
    "jarvis-cortex": Client(
        "env", "For any program that speaks OpenAI's API.", packages.plain_openai
    ),
    "langchain": Client("python", "Needs langchain-openai.", packages.langchain),
    "llamaindex": Client(
        "python",
        "Needs llama-index-llms-openai-like and llama-index-embeddings-openai-like.",
        packages.llamaindex,
    ),
    "n8n": Client("json", "n8n import:credentials --input=FILE reads it.", house.n8n),
    "open-webui": Client(
        "env",
        "For docker run --env-file FILE, or env_file of Compose; not for a shell.",
        lambda access: env(open_webui.environment(access)),
    ),
}
