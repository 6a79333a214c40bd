"""What a model outside takes, as the site writes it; the engine's kind says what of it counts."""

from __future__ import annotations

from synapse_common.strict import NotNegative, Strict


class Price(Strict):
    """What a provider takes."""

    input_usd_per_million: NotNegative | None = None
    """for a million tokens that it reads"""
    output_usd_per_million: NotNegative | None = None
    """for a million tokens that it writes"""
    usd_per_query: NotNegative | None = None
    """for ranking up to 100 documents"""
    usd_per_minute: NotNegative | None = None
    """for a minute of speech that it hears"""
    usd_per_million_characters: NotNegative | None = None
    """for a million characters that it speaks"""


COUNTED = {
    "chat": (("input_usd_per_million", "output_usd_per_million"),),
    "embedding": (("input_usd_per_million",),),
    "rerank": (("input_usd_per_million",), ("usd_per_query",)),
    "transcription": (("usd_per_minute",),),
    "speech": (("usd_per_million_characters",),),
}
"""By kind of model, what has to be known of its price: all of one of these."""
