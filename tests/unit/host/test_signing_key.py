"""The key of a repository is put in place only when it is the one that is written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from role_modules import module

ROOT = Path(__file__).parents[3]
# Made with gpg for these tests, as are the fingerprints.
ARMORED = b"""-----BEGIN PGP PUBLIC KEY BLOCK-----
Comment: for tests

mDMEaw6EfBYJKwYBBAHaRw8BAQdAe4uh7FM8r7AfmQrg7ZhLYsRN/ggx2aGj6xzu
VFLtAcq0F3JlcG9zaXRvcnkgb2YgdGhlIHRlc3RziJAEExYIADgWIQTr+tBTqktK
LIlrKmGuy/Drf3qXKwUCaw6EfAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRCuy/Drf3qXKyY+AP9YUvg3qiH8HQjlZcEQwBY/7P9AOE9MvwwHUKtTv5sG1QD/
c+mH4klr4B1I2yTKxa4jhyArr9GQPOhf+/cT3B2PSA4=
=HFYO
-----END PGP PUBLIC KEY BLOCK-----
"""
OURS = "EBFAD053AA4B4A2C896B2A61AECBF0EB7F7A972B"
NVIDIAS = "C95B321B61E88C1809C4F759DDCAE044F796ECB0"


key = module("nvidia", "signing_key")
PACKETS: bytes = key.binary(ARMORED)
STRANGER = PACKETS[:20] + bytes([PACKETS[20] ^ 1]) + PACKETS[21:]


def test_a_key_has_the_fingerprint_that_gpg_shows() -> None:
    assert key.fingerprints(PACKETS) == [OURS]


def test_a_key_may_come_armored_or_not() -> None:
    assert key.binary(PACKETS) == PACKETS
    assert key.binary(ARMORED.replace(b"\n", b"\r\n")) == PACKETS


def test_packets_of_the_newer_format_are_read_too() -> None:
    length = PACKETS[1]
    renewed = bytes([0xC0 | 6, length]) + PACKETS[2 : 2 + length]
    assert key.fingerprints(renewed) == [OURS]


@pytest.mark.parametrize(
    ("packets", "wanted", "told"),
    [
        (PACKETS, OURS, ""),
        (PACKETS, NVIDIAS, f"its fingerprint is {OURS}"),
        (STRANGER, OURS, "its fingerprint is "),
        # A key beside the right one would sign as well.
        (PACKETS + STRANGER, OURS, f"its fingerprint is {OURS} and "),
        (PACKETS[:-10], OURS, "it is cut off"),
        (PACKETS[:1], OURS, "it is cut off"),
        (b"<html>a captive portal</html>", OURS, "it is no OpenPGP key"),
        (b"", OURS, "it is no OpenPGP key"),
    ],
)
def test_another_key_is_refused(packets: bytes, wanted: str, told: str) -> None:
    reason = key.refusal(packets, wanted)
    assert reason.startswith(told)
    assert bool(reason) is bool(told)


def test_damaged_armor_is_refused() -> None:
    with pytest.raises(key.KeyRefusedError, match="its armor is damaged"):
        key.binary(ARMORED.replace(b"mDME", b"!!!!"))


def test_the_fingerprints_of_the_defaults_are_whole() -> None:
    text = (ROOT / "roles/nvidia/defaults/main.yml").read_text()
    assert NVIDIAS in text
    assert "EB693B3035CD5710E231E123A4B469963BF863CC" in text
    assert "02182E60104FCDC26EAE1B8597A5D4CB8793F200" in text
