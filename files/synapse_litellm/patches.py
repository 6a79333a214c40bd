"""What LiteLLM does otherwise than an honest answer needs; each patch says why.

They reach into LiteLLM's own modules: the tests before the real one notice when a version differs.
"""

from __future__ import annotations

import logging
from typing import Any

import orjson
from litellm.litellm_core_utils import core_helpers
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.llms.base_llm.base_model_iterator import BaseModelResponseIterator
from litellm.llms.openai import openai
from litellm.llms.openai.chat import gpt_transformation

import litellm
from litellm import main

ENDLESS = "the engine ended its answer without a finish reason"
NOTHING = {
    "text": "", "is_finished": False, "finish_reason": "", "usage": None, "index": 0,
    "tool_use": None,
}  # fmt: skip
"""What LiteLLM makes of an event that says nothing."""
LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")


def require_honest_endings() -> None:
    """Make LiteLLM treat an answer that was cut short as failed instead of finished.

    It would say "stop" for a stream that ends without a finish reason and for the reasons
    "abort" and "error"; a short answer must not look like a whole one.
    """
    core_helpers._FINISH_REASON_MAP.update({"abort": "error", "error": "error"})
    finish = CustomStreamWrapper.finish_reason_handler

    def checked(wrapper: Any) -> Any:
        if wrapper.received_finish_reason is None and wrapper.intermittent_finish_reason is None:
            raise litellm.APIConnectionError(ENDLESS, "", wrapper.model or "")
        return finish(wrapper)

    CustomStreamWrapper.finish_reason_handler = checked
    for module in (gpt_transformation, openai):
        module.convert_to_model_response_object = _ended(module.convert_to_model_response_object)


def _ended(convert: Any) -> Any:
    """Return LiteLLM's reader of a whole answer, which refuses one that does not say why it ends.

    It would say "stop" for it as well.
    """

    def checked(*args: Any, **more: Any) -> Any:
        answer = args[0] if args else more.get("response_object")
        for choice in (answer or {}).get("choices") or []:
            if not (choice.get("finish_reason") or choice.get("finish_details")):
                raise litellm.APIConnectionError(ENDLESS, "", str((answer or {}).get("model")))
        return convert(*args, **more)

    return checked


def require_whole_texts() -> None:
    """Let an event end a stream by what it is, not by the letters [DONE] anywhere in it.

    LiteLLM would drop an answer's text that has them and say "stop". The mark of the end tells
    that nothing follows; whether the answer is whole its finish reason has said before.
    """

    def read(iterator: Any, str_line: str) -> Any:
        event = iterator._string_to_dict_parser(str_line)
        return iterator.chunk_parser(chunk=event) if event else dict(NOTHING)

    BaseModelResponseIterator._handle_string_chunk = read


def require_error_codes() -> None:
    """Keep the whole of an error that arrives inside a stream, as LiteLLM does with other errors.

    It would keep the message alone, and an engine's code says more than its words.
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


def require_discretion() -> None:
    """Let LiteLLM's loggers say nothing of requests: their errors quote prompts.

    What is to be known of a request is on the gateway's line. Why LiteLLM does not start is told
    by its web server.
    """
    for name in LOGGERS:
        logging.getLogger(name).disabled = True
