"""An audio request: checked, and written to a speech engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from synapse_gateway import errors
from synapse_gateway.audio import fields as form_fields
from synapse_gateway.audio import multipart
from synapse_gateway.audio.durations import END_BYTES, told_s
from synapse_gateway.audio.uploads import Upload
from synapse_gateway.config import App, Config, Model
from synapse_gateway.request import Request, model_of
from synapse_gateway.routes import Route

Body = bytes | AsyncIterator[bytes]
SHORT_S = 30.0
"""What Whisper hears at once."""
SHORT_BYTES = 128 * 1024
"""Of a recording that does not say how long it is: half a minute of what browsers record."""


@dataclass(frozen=True)
class AudioRequest:
    """One audio request, checked; it can be sent more than once."""

    path: str
    """Below /v1."""
    asked: str
    model: Model
    bytes_in: int
    stream: bool = False
    """The client wants events."""
    audio_s: float | None = None
    """How long the recording is, if it says so itself."""
    upload: Upload | None = None
    form: form_fields.Fields = ()
    """What goes with the recording."""
    fields: Mapping[str, Any] | None = None
    """The JSON body of a request for speech."""

    @classmethod
    async def heard(cls, upload: Upload, route: Route, app: App, config: Config) -> AudioRequest:
        """Check a form: its model, the permission for it, and its fields; note its length."""
        asked, model = model_of(upload.first("model"), route.kind, app, config)
        form = form_fields.checked(upload.fields, asked, model)
        return cls(
            route.path.removeprefix("/v1"),
            asked,
            model,
            upload.size,
            stream=("stream", "true") in form,
            audio_s=await length_s(upload),
            upload=upload,
            form=form,
        )

    @classmethod
    def spoken(cls, request: Request, characters_at_most: int) -> AudioRequest:
        """Take over a request for speech, whose model and permission are checked already."""
        text = request.fields.get("input")
        if not isinstance(text, str) or not text.strip():
            raise errors.malformed("'input' must be the text to speak.", "input")
        if len(text) > characters_at_most:
            raise errors.malformed(
                f"'input' has {len(text)} characters; at most {characters_at_most} are spoken at "
                "once. Send the text in parts.",
                "input",
            )
        fields = form_fields.spelled(request.fields, request.model)
        return cls(
            request.route.path.removeprefix("/v1"),
            request.asked,
            request.model,
            request.size,
            stream=fields.get("stream_format") == "sse",
            fields=fields,
        )

    def check_length(self, limit_s: float) -> None:
        """Refuse a recording that says itself that it is too long."""
        if self.audio_s is not None and self.audio_s > limit_s:
            raise errors.too_long_recording(self.audio_s, limit_s)

    @property
    def is_short(self) -> bool:
        """Say whether it is a command rather than a lecture, as far as one can tell."""
        if self.audio_s is None:
            return self.bytes_in <= SHORT_BYTES
        return self.audio_s <= SHORT_S

    @property
    def is_translation(self) -> bool:
        """Say whether the client wants English, whatever is spoken."""
        return self.path.endswith("/translations")

    def field(self, name: str) -> str | None:
        """Return what goes with the recording under this name."""
        return next((value for key, value in self.form if key == name), None)

    def suits(self, model: Model) -> bool:
        """Say whether a model can take over: it must know the language or the voice asked for.

        A name that the asked model does not know either is for its engine to refuse.
        """
        language, voice = self.field("language"), (self.fields or {}).get("voice")
        if language and model.languages and language not in model.languages:
            return False
        return not (voice in self.model.voices and model.voices) or voice in model.voices

    def is_written_here(self, model: Model) -> bool:
        """Say whether the gateway writes the transcript of this model in the client's format."""
        return bool(self.upload) and not (self.stream or model.engine_type.cuts_subtitles)

    def written(self, model: Model) -> tuple[dict[str, str], Body]:
        """Return headers and body of the request as this model's engine shall see it."""
        if self.upload is None:
            body = orjson.dumps({**(self.fields or {}), "model": model.served_name})
            return {"content-type": "application/json"}, body
        form = self._to_be_written_here() if self.is_written_here(model) else self.form
        return multipart.written([("model", model.served_name), *form], self.upload)

    def _to_be_written_here(self) -> form_fields.Fields:
        """Return what an engine is asked for whose answer the gateway puts into the format."""
        ours = (form_fields.FORMAT, form_fields.TIMES)
        kept = [pair for pair in self.form if pair[0] not in ours]
        kept.append((form_fields.FORMAT, form_fields.VERBOSE))
        needs_times = self.field(form_fields.FORMAT) in form_fields.WITH_TIMES
        # Nothing knows the times of words that were translated.
        if needs_times and not self.is_translation:
            kept.append((form_fields.TIMES, form_fields.WORD))
        return tuple(kept)


async def length_s(upload: Upload) -> float | None:
    """Return how long a recording is, if its file says so."""
    first, last = await upload.file.ends(END_BYTES)
    return told_s(upload.head + first, last, len(upload.head) + upload.size)
