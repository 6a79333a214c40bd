"""Read a request: for which model, how it is answered, and how long it may wait."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from multidict import CIMultiDictProxy

from synapse_arbiter.config import Settings
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.policy.line import Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.web import form
from synapse_common import protocol
from synapse_common.answers.endpoints import ENDPOINTS
from synapse_common.answers.judges import Fields
from synapse_common.bodies import parsing
from synapse_common.bodies.incoming import Body

PERSON_CHARACTERS = 128
"""So many a person's name may have: it is kept for as long as the request waits."""
FORM_PATHS = ("/v1/audio/transcriptions", "/v1/audio/translations")


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What one request asks for."""

    model: str
    priority: Priority
    asker: Asker
    budget_s: float
    ping_s: float | None  # None: no comments while it waits
    answers: int  # choices or vectors that it asks for


class Reader:
    """Reads requests for the models of one configuration."""

    def __init__(self, settings: Settings) -> None:
        """Remember the wait budgets."""
        self._max_wait_s = {model.name: model.max_wait_s for model in settings.models}
        self._apps = settings.waits_s

    def read(self, path: str, headers: CIMultiDictProxy[str], body: Body) -> ModelRequest:
        """Return what is asked for, or raise RefusedError."""
        if path in FORM_PATHS:
            content_type = headers.get("content-type", "")
            model, stream = form_fields(content_type, bytes(body.text))
            answers = 1
        else:
            fields = json_fields(body.text)
            model, stream = fields["model"], fields.get("stream") is True
            answers = ENDPOINTS[path].answers(fields)
        if model not in self._max_wait_s:
            raise RefusedError("model_not_found", f"There is no model {model!r} on this GPU.")
        asker = asker_of(headers)
        budget_s = seconds(headers, protocol.MAX_WAIT)
        if budget_s is None:
            budget_s = self._apps.get(asker.app, self._max_wait_s[model])
        ping_s = seconds(headers, protocol.PING) if stream else None
        return ModelRequest(model, priority_of(headers), asker, budget_s, ping_s, answers)


def json_fields(text: bytes | bytearray) -> Fields:
    """Return the fields of a JSON body that names a model."""
    try:
        fields: Fields = parsing.loads(text)
        model = fields["model"]
    except ValueError as error:
        raise RefusedError("invalid_request", f"The body is not JSON: {error}.") from error
    except (KeyError, TypeError) as error:
        raise RefusedError("invalid_request", "The body names no model.") from error
    if not isinstance(model, str):
        raise RefusedError("invalid_request", "The body's model is not a text.")
    return fields


def form_fields(content_type: str, body: bytes) -> tuple[str, bool]:
    """Return the model and whether a stream is asked for, out of a multipart form."""
    fields = form.fields(content_type, body)
    if "model" not in fields:
        raise RefusedError("invalid_request", "The form names no model.")
    return fields["model"].strip(), fields.get("stream", "").strip() in ("true", "True", "1")


def asker_of(headers: CIMultiDictProxy[str]) -> Asker:
    """Return the application and the person of it that ask, or raise RefusedError."""
    asker = Asker(headers.get(protocol.APP, ""), headers.get(protocol.PERSON, ""))
    if len(asker.person) > PERSON_CHARACTERS:
        message = f"The header {protocol.PERSON} is longer than {PERSON_CHARACTERS} characters."
        raise RefusedError("invalid_request", message)
    return asker


def seconds(headers: CIMultiDictProxy[str], name: str) -> float | None:
    """Return a header's seconds, None without the header, or raise RefusedError."""
    text = headers.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise RefusedError("invalid_request", f"The header {name} must be seconds, not {text!r}.")
    return value


def priority_of(headers: CIMultiDictProxy[str]) -> Priority:
    """Return the request's priority, interactive without the header, or raise RefusedError."""
    text = headers.get(protocol.PRIORITY)
    if text is None:
        return Priority.INTERACTIVE
    try:
        return Priority(text)
    except ValueError as error:
        message = f"The header {protocol.PRIORITY} must be interactive or batch, not {text!r}."
        raise RefusedError("invalid_request", message) from error
