"""The arbiter reads of a request what it needs, and sends on the bytes that came."""

from __future__ import annotations

import os

import pytest

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.web import form
from synapse_arbiter.web.body import LIMITS
from synapse_arbiter.web.request import form_fields, json_fields
from synapse_common.bodies.incoming import BodyLimits

KIND = "multipart/form-data; boundary=XX"


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


SOUND = part("file", os.urandom(200_000), '; filename="a.wav"')
FORM = SOUND + part("model", b"ears") + part("stream", b"true") + b"--XX--\r\n"


def test_the_fields_of_a_form_are_read_whatever_stands_before_them() -> None:
    assert form_fields(KIND, FORM) == ("ears", True)
    assert form_fields('multipart/form-data; charset=x; boundary="XX"', FORM) == ("ears", True)


def test_a_recording_is_no_field() -> None:
    assert set(form.fields(KIND, FORM)) == {"model", "stream"}


@pytest.mark.parametrize("body", [b"", SOUND, b"--XX", b"--XX\r\n\r\n", FORM[:-40], b"x" * 100])
def test_a_form_without_a_model_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError, match="names no model"):
        form_fields(KIND, body.replace(b"model", b"other"))
    with pytest.raises(RefusedError, match="names no model"):
        form_fields("text/plain", body)


def test_no_more_than_so_many_parts_are_looked_at() -> None:
    many = part("x", b"1") * form.PARTS_AT_MOST + part("model", b"ears") + b"--XX--\r\n"
    assert "model" not in form.fields(KIND, many)


def test_a_body_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(RefusedError, match="nested more than 64 levels"):
        json_fields(b'{"model": "m", "x": ' + b"[" * 100 + b"]" * 100 + b"}")


def test_what_passed_the_gateway_passes_here() -> None:
    gateways = BodyLimits()
    assert LIMITS.text_bytes > gateways.text_bytes
    assert LIMITS.entries > gateways.entries
    assert LIMITS.containers > gateways.containers
    assert LIMITS.keys > gateways.keys
