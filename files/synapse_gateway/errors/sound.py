"""Refusals about recordings and speech."""

from __future__ import annotations

from synapse_common.refusals import Refusal
from synapse_gateway.errors.retries import QUEUE_RETRY_S, UNAVAILABLE_RETRY_S


def unknown_language(name: str, language: str, known: tuple[str, ...]) -> Refusal:
    """The transcriber does not understand this language."""
    spoken = ", ".join(known)
    message = (
        f"The model '{name}' does not know the language '{language[:20]}'. It knows: {spoken}."
    )
    return Refusal(400, "unsupported_language", message, param="language")


def too_many_uploads(limit: int, wait_s: float) -> Refusal:
    """All places for uploads that the application may take are taken, and none became free."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S), "connection": "close"}
    message = (
        f"No place for this upload became free within {wait_s:g} s. The gateway holds {limit}, and "
        f"of one application no more than it leaves free. Try again in {UNAVAILABLE_RETRY_S} s."
    )
    return Refusal(503, "too_many_uploads", message, headers=headers)


def slow_upload(least_kib_s: int, window_s: float) -> Refusal:
    """The upload comes so slowly that it would hold its place for nothing."""
    message = (
        f"The upload came at less than {least_kib_s} KiB a second for {window_s:g} s. "
        "Record first, then send."
    )
    return Refusal(408, "upload_too_slow", message, headers={"connection": "close"})


def disk_full() -> Refusal:
    """The disk has no room for an upload."""
    headers = {"retry-after": str(QUEUE_RETRY_S), "connection": "close"}
    message = f"The gateway has no room for this upload. Try again in {QUEUE_RETRY_S} s."
    return Refusal(503, "disk_full", message, headers=headers)


def too_long_recording(found_s: float, limit_s: float) -> Refusal:
    """The recording is longer than one may be."""
    message = (
        f"The recording takes {found_s:.0f} s; at most {limit_s:g} s are heard at once. "
        "Send it in parts."
    )
    return Refusal(413, "recording_too_long", message, param="file")


def queue_timeout(model: str, limit_s: float) -> Refusal:
    """The model transcribes others, and this request waited longer than the queue limit."""
    headers = {"retry-after": str(QUEUE_RETRY_S)}
    message = (
        f"The model '{model}' still transcribes other recordings after {limit_s:g} s in the queue. "
        f"Try again in {QUEUE_RETRY_S} s."
    )
    return Refusal(503, "queue_timeout", message, headers=headers)
