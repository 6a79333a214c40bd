"""Tables of conditions: what is there, and what the rules have to say of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synapse_common.finding import Finding
from synapse_host.facts import HostFacts
from synapse_host.rules import Rule

# The server, the site, how much it matters, what it is about, words of the sentence.
Row = tuple[HostFacts, dict[str, Any], str, str, str]


def assert_said(row: Row, found: Iterable[Finding]) -> None:
    """The words of a row are said, at its level."""
    _there, _site, wanted, what, words = row
    about = [one for one in found if one.what == what]
    said = [f"{one.seen}: {one.remedy}" for one in about if level(one) == wanted]
    assert any(words in sentence for sentence in said), about


def assert_speaks_up(rule: Rule, rows: Iterable[Row]) -> None:
    """A rule has something to do in one of these rows."""
    assert any(one.remedy for there, site, *_ in rows for one in rule(there, site))


def level(finding: Finding) -> str:
    """As the tables name it."""
    return "stops" if finding.stops else finding.level
