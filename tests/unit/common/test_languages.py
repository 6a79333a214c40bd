"""Clients call languages by many names."""

from __future__ import annotations

import pytest

from synapse_common.languages import NAMES, code_of


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("de", "de"), ("DE-at", "de"), ("German", "de"), (" english ", "en"), ("nb-NO", "no"),
        ("zh_Hans", "zh"), ("Cantonese", "yue"), ("iw", "he"), ("auto", None), ("", None),
        ("klingon", "klingon"), ("tlh-X", "tlh-X"),
    ],
)  # fmt: skip
def test_a_language_has_one_code(written: str, code: str | None) -> None:
    assert code_of(written) == code


def test_no_name_means_two_languages() -> None:
    names = [name for code, others in NAMES.items() for name in (code, *others)]
    assert len(names) == len(set(names))
