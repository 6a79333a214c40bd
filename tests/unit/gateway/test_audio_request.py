"""Which models may take over from the one that was asked."""

import pytest

from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.config import Model

SPEAKER = Model(
    url="http://engine/v1",
    served_name="served",
    name="speaker",
    kind="speech",
    engine="piper",
    voices=("alloy", "thorsten"),
)


@pytest.mark.parametrize(
    ("voice", "known", "suits"),
    [
        ("alloy", ("alloy", "nova"), True),
        ("thorsten", ("alloy", "nova"), False),
        ("thorsten", (), True),
        ("nobody", ("alloy", "nova"), True),
        (None, ("nova",), True),
        ({"id": "alloy"}, ("nova",), True),
    ],
    ids=["both", "only-the-first", "unknown-names", "nobody's", "none-asked", "own-voice"],
)
def test_a_fallback_that_lacks_the_voice_is_not_asked(
    voice: object, known: tuple[str, ...], suits: bool
) -> None:
    request = AudioRequest(
        "/audio/speech", "tts-1", SPEAKER, 0, fields={"input": "Hello.", "voice": voice}
    )
    assert request.suits(SPEAKER)
    assert (
        request.suits(
            Model(
                url="http://engine/v1",
                served_name="served",
                name="second",
                kind="speech",
                engine="piper",
                voices=known,
            )
        )
        is suits
    )
