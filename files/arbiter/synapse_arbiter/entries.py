"""The entries of the configuration's lists: a model, an application."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from synapse_arbiter.fields import Fields
from synapse_arbiter.settings import Model

KINDS = ("chat", "embedding", "transcription", "speech")
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


def model_of(fields: Fields) -> Model:
    """Return one model, noting what is wrong with it."""
    model = Model(
        name=fields.text("name"),
        url=fields.text("url").rstrip("/"),
        kind=fields.choice("kind", KINDS, "chat"),
        vram_gib=fields.number("vram_gib"),
        concurrency=fields.whole("concurrency", 16, above=1),
        max_wait_s=fields.number("max_wait_s", 120),
        sleep_s=fields.number("sleep_s", 0.5),
        wake_s=fields.number("wake_s", 1.5),
        answer_s=fields.number("answer_s", 5),
        boot_s=fields.number("boot_s", 120),
    )
    if model.name and not DNS_LABEL.fullmatch(model.name):
        fields.fault("name", "must be lower-case letters, digits, dots and dashes.")
    address = _address(model.url)
    if model.url and address is None:
        fields.fault("url", f"must be an http address, not {model.url!r}.")
    elif address is not None and (address.path or address.query or address.fragment):
        fields.fault("url", f"must end after the port, without a path: {model.url!r}.")
    fields.finish()
    return model


def _address(url: str) -> SplitResult | None:
    """Return the parts of an http address, or None when it is none."""
    try:
        address = urlsplit(url)
        sound = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:  # of a host or port that cannot be
        return None
    return address if sound else None


def app_of(fields: Fields) -> tuple[str, float]:
    """Return one application's name and how long its requests may wait."""
    app = fields.text("name"), fields.number("max_wait_s")
    fields.finish()
    return app
