"""What LiteLLM tells us, and is told, while it tries one model after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import litellm
import orjson
from litellm import main
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils import core_helpers
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.llms.openai.chat import gpt_transformation

from synapse_common import protocol
from synapse_gateway.access_log import RequestRecord, current
from synapse_gateway.config import Config
from synapse_gateway.fallback_reasons import reason_of


class Hooks(CustomLogger):  # type: ignore[misc]  # LiteLLM is not there when types are checked
    """Notes every attempt on the request's record and hands the arbiter what it needs."""

    def __init__(self, config: Config) -> None:
        """Remember the models."""
        super().__init__()
        self._config = config

    async def async_pre_call_deployment_hook(
        self, kwargs: dict[str, Any], call_type: Any
    ) -> dict[str, Any]:
        """Note the attempt; set its connect time-out and, for the arbiter, its headers."""
        record = current.get()
        model = self._config.models[_deployment(kwargs)]
        record.begin(model)
        connect_s = self._config.settings.connect_timeout_s
        # LiteLLM makes of `pool` the limit of all that comes before the request is sent, the look
        # for the name's address included, which `connect` leaves out.
        kwargs["timeout"] = httpx.Timeout(
            float(kwargs["timeout"]), connect=connect_s, pool=connect_s
        )
        kwargs.pop("extra_headers", None)
        if model.via_arbiter:
            kwargs["extra_headers"] = arbiter_headers(record)
        return kwargs

    async def log_success_fallback_event(
        self, original_model_group: str, kwargs: dict[str, Any], original_exception: Exception
    ) -> None:
        """Note why the model that was asked for did not serve.

        In a longer chain every model that failed is reported, the one asked for last.
        """
        status = getattr(original_exception, "status_code", 500)
        current.get().reason = reason_of(status, str(original_exception))


def arbiter_headers(record: RequestRecord) -> dict[str, str]:
    """Return who asks, how urgently, and how long the wait for the GPU may be."""
    app = record.app
    if app is None:
        return {}
    headers = {
        protocol.APP: app.name,
        protocol.PRIORITY: app.priority,
        protocol.REQUEST_ID: record.request_id,
    }
    if app.max_wait_s is not None:
        headers[protocol.MAX_WAIT] = f"{app.max_wait_s:g}"
    return headers


def require_honest_endings() -> None:
    """Make LiteLLM treat an answer that was cut short as failed instead of finished.

    It would say "stop" for a stream that ends without a finish reason and for the reasons
    "abort" and "error"; a short answer must not look like a whole one.
    """
    core_helpers._FINISH_REASON_MAP.update({"abort": "error", "error": "error"})
    finish = CustomStreamWrapper.finish_reason_handler

    def checked(wrapper: Any) -> Any:
        if wrapper.received_finish_reason is None and wrapper.intermittent_finish_reason is None:
            raise litellm.APIConnectionError(
                message="the engine ended its answer without a finish reason",
                llm_provider="",
                model=wrapper.model or "",
            )
        return finish(wrapper)

    CustomStreamWrapper.finish_reason_handler = checked


def notice_waits() -> None:
    """Note how long a streamed request waited for the GPU, from the arbiter's own headers.

    LiteLLM passes them on only with streams that began before it had to send a keep-alive comment.
    """
    begin = CustomStreamWrapper.__init__

    def noting(wrapper: Any, *args: Any, **more: Any) -> None:
        begin(wrapper, *args, **more)
        record = current.get(None)
        if record is not None:
            record.note_wait(httpx.Headers(wrapper._response_headers or {}))

    CustomStreamWrapper.__init__ = noting


def require_error_codes() -> None:
    """Keep the whole of an error that arrives inside a stream, as LiteLLM does with other errors.

    It would keep the message alone, and the arbiter's code says more than its words.
    """
    parser = gpt_transformation.OpenAIChatCompletionStreamingHandler
    read = parser._extract_error_from_chunk

    def whole(chunk: dict[str, Any]) -> tuple[str, int] | None:
        found = read(chunk)
        return found and (orjson.dumps(chunk).decode(), found[1])

    parser._extract_error_from_chunk = staticmethod(whole)


def require_connect_timeouts() -> None:
    """Let every provider have a time-out for connections of its own.

    LiteLLM would make one number of both: an address that swallows connections would hold a
    request for as long as an answer may take.
    """
    main.supports_httpx_timeout = lambda custom_llm_provider: True


def _deployment(kwargs: Mapping[str, Any]) -> str:
    info = kwargs.get("model_info") or kwargs.get("metadata", {}).get("model_info") or {}
    return str(info["id"])
