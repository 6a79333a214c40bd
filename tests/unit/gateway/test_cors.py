"""Only the pages of configured origins may ask, and they learn it on every answer."""

from __future__ import annotations

import pytest

from synapse_gateway.cors import Cors

PAGE, OTHER = "https://page.example", "https://other.example"
ALLOWED = "access-control-allow-origin"


def test_without_origins_nobody_is_told_anything() -> None:
    cors = Cors(())
    assert cors.headers(PAGE) == {}
    assert cors.preflight({"origin": PAGE}) is None


def test_a_configured_page_may_ask() -> None:
    headers = Cors((PAGE,)).headers(PAGE)
    assert headers[ALLOWED] == PAGE
    assert headers["vary"] == "origin"
    told = headers["access-control-expose-headers"].split(", ")
    assert {"x-request-id", "x-synapse-model", "retry-after", "x-synapse-ignored"} <= set(told)
    assert "access-control-allow-credentials" not in headers, "keys are no cookies"


@pytest.mark.parametrize("origin", [OTHER, "null", PAGE + ".evil", PAGE.upper(), None])
def test_no_other_page_may(origin: str | None) -> None:
    cors = Cors((PAGE,))
    assert cors.headers(origin) == {"vary": "origin"}, "no cache gives one the other's answer"
    assert cors.preflight({"origin": origin} if origin else {}) is None


def test_a_star_is_for_everybody() -> None:
    headers = Cors(("*",)).headers(OTHER)
    assert headers[ALLOWED] == "*"
    assert "vary" not in headers
    assert Cors(("*",)).headers(None) == {}


def test_a_browser_that_asks_beforehand_may_send_what_it_names() -> None:
    asked = {"origin": PAGE, "access-control-request-headers": "authorization, x-stainless-os"}
    headers = Cors((PAGE,)).preflight(asked)
    assert headers is not None
    assert headers["access-control-allow-headers"] == "authorization, x-stainless-os"
    assert "POST" in headers["access-control-allow-methods"]
    assert int(headers["access-control-max-age"]) > 0
    plain = Cors((PAGE,)).preflight({"origin": PAGE})
    assert plain is not None
    assert "authorization" in plain["access-control-allow-headers"]
