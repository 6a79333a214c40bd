"""What a site wrote is done; without a word, only an empty server is closed and hardened."""

import pytest

from synapse_host.enforce import enforced


@pytest.mark.parametrize("was_lived_in", [True, False, None])
def test_what_the_site_says_counts_whatever_the_server_was(was_lived_in: bool | None) -> None:
    assert enforced("firewall", ["firewall"], was_lived_in)
    assert not enforced("hardening", ["firewall"], was_lived_in)
    assert not enforced("firewall", [], was_lived_in)


@pytest.mark.parametrize(
    ("was_lived_in", "expected"), [(False, True), (True, False), (None, False)]
)
def test_without_a_word_only_a_server_that_was_empty_is_closed(
    was_lived_in: bool | None, expected: bool
) -> None:
    assert enforced("firewall", None, was_lived_in) is expected
