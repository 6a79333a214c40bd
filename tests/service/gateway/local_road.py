"""The two settings of `gateway_local_road`: what is tried in both, and what differs."""

from __future__ import annotations

BEHIND = "litellm"
SETTINGS = ("direct", BEHIND)
IN_BOTH = ("test_answers", "test_fallbacks")
"""Modules whose every test runs in both settings."""
DIFFERS = {
    "test_chat_answers_and_names_who_served": (
        "LiteLLM adds `provider_specific_fields` to every answer, here and there another field"
    ),
    "test_a_closed_port_falls_back": (
        "the log's reason is `failed`: LiteLLM tells an engine that it cannot reach as status 500"
    ),
    "test_a_chain_without_an_answer_is_503_with_retry_after": (
        "`Retry-After` is 5 s: LiteLLM does not pass on what the engine or the arbiter says"
    ),
}
"""By a test's name, as far as it is given here: why it fails behind LiteLLM."""


def differs(name: str) -> str | None:
    """Return why a test differs, None for one that holds in its setting."""
    test, _, parameters = name.partition("[")
    if BEHIND not in parameters.rstrip("]").split("-"):
        return None
    fitting = [each for each in DIFFERS if name == each or test == each]
    return DIFFERS[fitting[0]] if fitting else None
