"""What an engine answered instead of an answer: whose fault it is, and what the client hears."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import orjson

from synapse_common.answers.judges import ENGINE_CUTS, CutShort
from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.config import Model
from synapse_gateway.fallback_reasons import reason_of
from synapse_gateway.ollama import TOO_LONG
from synapse_gateway.relay.health import EngineAway

READ_AT_MOST = 64 * 1024
SHOWN = 1000
LITELLMS = re.compile(
    r"^(litellm\.)?\w+Error: (\w+Exception - )?|\. Received Model Group=.*$", re.DOTALL
)
"""What LiteLLM writes around a provider's words."""
STATUS = re.compile(r"[1-5]\d\d")
"""A code that is a status, as vLLM writes it in a stream."""
ADDRESS = re.compile(
    r"://|\b\d{1,3}(\.\d{1,3}){3}\b|\[[0-9a-f]*:[0-9a-f:]+\]|\b[a-z][\w.-]*:\d{4,5}\b|\.svc\b|\bsk-"
)
"""What does not leave: addresses and keys."""


@dataclass(frozen=True)
class Failure:
    """Why one model did not serve, and what the client hears if nobody else does."""

    reason: str
    refusal: Refusal

    @property
    def is_final(self) -> bool:
        """Say whether the request itself is wrong, for this engine at least."""
        return self.reason in ("refused", "unsupported")


@dataclass(frozen=True)
class EngineError:
    """An engine's own words."""

    status: int
    message: str
    param: str | None = None
    code: str = ""
    wait_s: int = errors.UNAVAILABLE_RETRY_S

    @classmethod
    async def read(cls, answer: aiohttp.ClientResponse) -> EngineError:
        """Take in an answer whose status is not 200."""
        body = b""
        while len(body) < READ_AT_MOST and (piece := await answer.content.readany()):
            body += piece
        found, wait_s = cls.told(answer.status, body), answer.headers.get("retry-after", "")
        return replace(found, wait_s=int(wait_s)) if wait_s.isdecimal() else found

    @classmethod
    def told(cls, status: int, body: bytes) -> EngineError:
        """Read an error in any engine's shape."""
        try:
            told: Any = orjson.loads(body)
        except orjson.JSONDecodeError:
            told = None
        return cls.of(status, told)

    @classmethod
    def of(cls, status: int, told: Any) -> EngineError:
        """Take (1) OpenAI's and Anthropic's shape, (2) Ollama's, (3) FastAPI's."""
        if not isinstance(told, dict):
            return cls(status, "")
        error = _unwrapped(told.get("error"))
        if isinstance(error, dict):  # (1)
            param, code = error.get("param"), error.get("code")
            if STATUS.fullmatch(str(code)):
                status, code = int(str(code)), ""
            message, code = str(error.get("message") or ""), str(code or error.get("type") or "")
            return cls(status, message, param if isinstance(param, str) else None, code)
        if isinstance(error, str):  # (2)
            return cls(status, error)
        return cls(status, *_detail(told.get("detail")))  # (3)

    def failure(self, model: Model, asked: str) -> Failure:
        """Say whose fault it is: (1) the client's, (2) the engine's, which another may not have."""
        # Speaches answers 500 for some of the recordings that its decoder cannot read.
        unreadable = self.status == 500 and "decode" in self.message.lower()
        # Ollama's /api/embeddings answers 500 to what is too long.
        wrong = unreadable or self.message == TOO_LONG
        reason = reason_of(400 if wrong else self.status, self.message, self.code)
        if reason == "context":  # (1)
            return Failure(reason, errors.too_long(asked, self._shown(model), model.context))
        if reason == "refused":
            text = self._shown(model) or f"The model '{asked}' refused the request as invalid."
            return Failure(reason, Refusal(400, "invalid_request", text, param=self.param))
        if reason in ("timeout", "engine_silent"):  # (2)
            return Failure(reason, errors.timed_out(asked))
        return Failure(reason, errors.unavailable(asked, self.wait_s))

    def _shown(self, model: Model) -> str:
        """Return the engine's reason if it may leave; a provider's without LiteLLM's additions."""
        text = self.message.strip()
        if model.via_litellm:
            text = LITELLMS.sub("", text).strip()
        elif model.engine_type.is_outside:
            return ""
        return "" if ADDRESS.search(text) else text[:SHOWN]


def _unwrapped(error: Any) -> Any:
    """Return what stands in a text: Ollama since 0.30 passes on its llama-server's whole body."""
    if not isinstance(error, str) or not error.startswith("{"):
        return error
    try:
        inner = orjson.loads(error).get("error")
    except orjson.JSONDecodeError:
        return error
    return inner if isinstance(inner, dict) else error


def _detail(told: Any) -> tuple[str, str | None]:
    """Return FastAPI's words: a text, or what is wrong with each field; and the first field."""
    if isinstance(told, str):
        return told, None
    faults = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    words = "; ".join(str(each["msg"]) for each in faults if each.get("msg"))
    place = faults[0].get("loc") if faults else None
    return words, str(place[-1]) if isinstance(place, list) and place else None


def of_cut(cut: CutShort, asked: str) -> Failure:
    """Return the failure of an answer that was cut short before the client saw any of it."""
    told = errors.cuts(asked) if cut.code == ENGINE_CUTS else errors.interrupted(asked)
    return Failure(cut.code, told)


def of_exception(error: Exception, asked: str) -> Failure:
    """Return the failure of an engine that (1) is away, (2) was silent, (3) was not reached."""
    if isinstance(error, EngineAway):  # (1)
        return Failure("away", errors.unavailable(asked, error.retry_s))
    if isinstance(error, aiohttp.SocketTimeoutError):  # (2)
        return Failure("timeout", errors.timed_out(asked))
    return Failure("unreachable", errors.unavailable(asked))  # (3)
