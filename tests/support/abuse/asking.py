"""Small requests in every dialect, as bytes, by application and model."""

from __future__ import annotations

import json
from typing import Any

from abuse import forms, wire
from abuse.catalogue import EARS
from every_dialect import ASKED

CHAT = "/v1/chat/completions"
KIND = "content-type: application/json"


def text(app: str, model: str, path: str = CHAT, *, stream: bool = False, **more: Any) -> wire.Sent:
    """Return a short request for text."""
    body = json.dumps({"model": model, **ASKED[path], "stream": stream, **more}).encode()
    return wire.Sent(wire.head(path, app, KIND, size=len(body)), body)


def recording(
    app: str, name: str, seconds: float = 0.1, model: str = EARS, path: str = forms.PATH
) -> wire.Sent:
    """Return a recording of so many seconds of silence, to be transcribed or translated."""
    sound = forms.wav(bytes(int(seconds * 32000)))
    body = forms.form(
        forms.part("model", model.encode()), forms.part("file", sound, filename=f"{name}.wav")
    )
    kind = f"content-type: multipart/form-data; boundary={forms.BOUNDARY}"
    return wire.Sent(wire.head(path, app, kind, size=len(body)), body)


def speech(app: str, model: str, path: str = "/v1/audio/speech") -> wire.Sent:
    """Return a short text that is to be spoken."""
    body = json.dumps({"model": model, "input": "hi", "voice": "alloy"}).encode()
    return wire.Sent(wire.head(path, app, KIND, size=len(body)), body)
