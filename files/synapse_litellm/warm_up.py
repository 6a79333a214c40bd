"""Does at the start what LiteLLM would do for its first requests, while somebody waits.

Nobody is asked: (1) modules, the types of answers and the table of a tokenizer are loaded, and
(2) each route is asked without a key, which LiteLLM refuses, once it has put the route together.
What that saves was measured; the tests count what the first requests still load.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, PydanticUserError
from pydantic.errors import PydanticUndefinedAnnotation

LATE = (
    "litellm.litellm_core_utils.default_encoding",
    "litellm.proxy._experimental.mcp_server.auth.user_api_key_auth_mcp",
    "litellm.proxy._experimental.mcp_server.mcp_server_manager",
    "litellm.integrations.shadow_eval_logger",
    "litellm.llms.github_copilot.per_user_auth",
    "litellm.proxy.response_polling.polling_handler",
    "litellm.llms.anthropic.pass_through.messages.streaming_iterator",
    "litellm.llms.openai.responses.count_tokens.token_counter",
    "litellm.types.litellm_core_utils.streaming_chunk_builder_utils",
    "nacl.secret",
)
"""What is imported inside functions that answer requests."""
TYPES = ("litellm.types.llms.openai", "litellm.types.llms.anthropic", "litellm.types.utils")
"""Where the types of requests and answers are, built at the first use of each."""
ROUTES = (
    "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages",
    "/v1/messages/count_tokens", "/v1/rerank",
)  # fmt: skip
WITHIN_S, PAUSE_S = 120.0, 0.5
"""How long and how often it is tried whether LiteLLM listens."""


def warm_up() -> None:
    """Load (1) now, which takes a second; do (2) beside, as soon as LiteLLM listens."""
    for name in LATE:
        _imported(name)
    for built in _unbuilt():
        with contextlib.suppress(PydanticUserError, PydanticUndefinedAnnotation):
            built.model_rebuild()
    with contextlib.suppress(AttributeError):
        _imported("litellm.llms").load_guardrail_translation_mappings()
    threading.Thread(target=_ask_routes, daemon=True).start()


def _imported(name: str) -> Any:
    """Return a module; None: a newer LiteLLM has it elsewhere, and its first request waits."""
    with contextlib.suppress(ImportError):
        return importlib.import_module(name)
    return None


def _unbuilt() -> Iterator[type[BaseModel]]:
    for name in TYPES:
        module = _imported(name)
        for value in list(vars(module).values()) if module else ():
            is_type = isinstance(value, type) and issubclass(value, BaseModel)
            if is_type and value is not BaseModel and not value.__pydantic_complete__:
                yield value


def _ask_routes() -> None:
    port = int(sys.argv[sys.argv.index("--port") + 1]) if "--port" in sys.argv else 4000
    ends_s = time.monotonic() + WITHIN_S
    waiting = list(ROUTES)
    while waiting and time.monotonic() < ends_s:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
        try:
            connection.request("POST", waiting[0], b"{}", {"content-type": "application/json"})
            connection.getresponse().read()
            del waiting[0]
        except (OSError, http.client.HTTPException):
            time.sleep(PAUSE_S)  # it does not listen yet
        finally:
            connection.close()
