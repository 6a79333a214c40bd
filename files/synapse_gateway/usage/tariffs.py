"""What models outside cost: the site's own prices, else those of LiteLLM's list."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from synapse_common.engines import LITELLM, Kind
from synapse_common.price import COUNTED, Price
from synapse_gateway.usage.counts import nano

MILLION = 10**6
LIST = "model_prices_and_context_window_backup.json"
"""LiteLLM's list of prices, in its package."""
ABOVE = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


@dataclass(frozen=True)
class Took:
    """What counts of a request, in the words of the providers' prices."""

    tokens_in: int = 0
    """With those that came from the provider's cache, or went into it."""
    cached: int = 0
    """Those of them that came from its cache."""
    kept: int = 0
    """Those of them that went into it."""
    tokens_out: int = 0
    queries: int = 0
    audio_s: float = 0.0
    characters: int = 0

    @classmethod
    def told(cls, usage: Mapping[str, Any]) -> Took:
        """Read what an engine tells: (1) the cache is part of what came in, (2) Anthropic: not."""
        tokens_in = _count(usage, "prompt_tokens", "input_tokens")
        tokens_out = _count(usage, "completion_tokens", "output_tokens")
        cached = _count(usage, "cache_read_input_tokens")
        kept = _count(usage, "cache_creation_input_tokens")
        details = usage.get("prompt_tokens_details", usage.get("input_tokens_details"))
        if isinstance(details, dict) or "prompt_tokens" in usage:  # (1)
            inner = details if isinstance(details, dict) else {}
            cached = max(cached, _count(inner, "cached_tokens"))
        else:  # (2)
            tokens_in += cached + kept
        return cls(tokens_in, cached, kept, tokens_out)


@dataclass(frozen=True)
class Tariff:
    """Prices in dollars, each for one."""

    token_in: float = 0.0
    token_cached: float = 0.0
    token_kept: float = 0.0
    token_out: float = 0.0
    query: float = 0.0
    second: float = 0.0
    character: float = 0.0
    longest: int | None = None
    """The most tokens of one answer; None: not known."""
    dearer: tuple[tuple[int, Tariff], ...] = ()
    """What holds for all of a request that reads more than so many tokens; the most last."""

    def nano_usd(self, took: Took) -> int:
        """Return what a request costs, in billionths of a dollar."""
        for tokens, tariff in reversed(self.dearer):
            if took.tokens_in > tokens:
                return tariff.nano_usd(took)
        cached = min(took.cached, took.tokens_in)
        kept = min(took.kept, took.tokens_in - cached)
        usd = (
            (took.tokens_in - cached - kept) * self.token_in
            + cached * self.token_cached
            + kept * self.token_kept
            + took.tokens_out * self.token_out
            + took.queries * self.query
            + took.audio_s * self.second
            + took.characters * self.character
        )
        return nano(usd)


def written(price: Price, kind: Kind) -> Tariff | None:
    """Return the prices that a site writes; None where they do not tell what this kind takes."""
    if not any(all(getattr(price, key) is not None for key in way) for way in COUNTED[kind]):
        return None
    token_in = (price.input_usd_per_million or 0.0) / MILLION
    return Tariff(
        token_in=token_in,
        token_cached=token_in,
        token_kept=token_in,
        token_out=(price.output_usd_per_million or 0.0) / MILLION,
        query=price.usd_per_query or 0.0,
        second=(price.usd_per_minute or 0.0) / 60,
        character=(price.usd_per_million_characters or 0.0) / MILLION,
    )


def listed(kinds: Mapping[str, Kind]) -> dict[str, Tariff]:
    """Return the prices of these models, as far as LiteLLM's list has them; it takes 0.1 s."""
    found = importlib.util.find_spec(LITELLM.name) if kinds else None  # which does not import it
    if found is None or not found.submodule_search_locations:
        return {}
    file = Path(found.submodule_search_locations[0]) / LIST
    try:
        told = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    entries = {name: _entry(name, told) for name in kinds}
    tariffs = {name: _tariff(entry, kinds[name]) for name, entry in entries.items() if entry}
    return {name: tariff for name, tariff in tariffs.items() if tariff is not None}


def _entry(name: str, told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find a model by its whole name, or by its provider's: not every name there begins with it."""
    if isinstance(told.get(name), dict):
        return dict(told[name])
    provider, _, rest = name.partition("/")
    entry = told.get(rest)
    if isinstance(entry, dict):
        theirs = str(entry.get("litellm_provider"))
        if theirs == provider or theirs.startswith((f"{provider}_", f"{provider}-")):
            return entry
    return None


def _tariff(entry: Mapping[str, Any], kind: Kind, above: str = "") -> Tariff | None:
    """Return the prices of an entry, or what it says of requests above a number of tokens.

    Nothing but zeros means there that nobody knows; what is free has a price of the site's.
    """
    token_in, token_out = _price(entry, "input", above), _price(entry, "output", above)
    if kind == "embedding" and token_out is None:
        token_out = 0.0  # vectors are no tokens
    query = _number(entry, "input_cost_per_query")
    if not (token_in or token_out or query):
        return None
    if token_in is None or token_out is None:
        return Tariff(query=query) if query else None
    cached = _number(entry, f"cache_read_input_token_cost{above}")
    kept = _number(entry, f"cache_creation_input_token_cost{above}")
    # Some charge more for what they think than for what they say.
    thought = _number(entry, "output_cost_per_reasoning_token") or 0.0
    longest = entry.get("max_output_tokens")
    return Tariff(
        token_in=token_in,
        token_cached=token_in if cached is None else cached,
        token_kept=token_in if kept is None else kept,
        token_out=max(token_out, thought),
        query=query or 0.0,
        longest=longest if isinstance(longest, int) and longest > 0 else None,
        dearer=() if above else tuple(sorted(_dearer(entry, kind), key=lambda pair: pair[0])),
    )


def _dearer(entry: Mapping[str, Any], kind: Kind) -> Iterator[tuple[int, Tariff]]:
    for key in entry:
        if told := ABOVE.fullmatch(key):
            tariff = _tariff(entry, kind, f"_above_{told[1]}k_tokens")
            if tariff is not None:
                yield int(told[1]) * 1000, tariff


def _price(entry: Mapping[str, Any], way: str, above: str) -> float | None:
    """Return what a token costs; one above a number costs what others do, where nothing is said."""
    plain = _number(entry, f"{way}_cost_per_token")
    return plain if (found := _number(entry, f"{way}_cost_per_token{above}")) is None else found


def _number(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry.get(key)
    return float(value) if isinstance(value, int | float) else None


def _count(usage: Mapping[str, Any], *names: str) -> int:
    found = (usage.get(name) for name in names)
    return next((count for count in found if isinstance(count, int) and count >= 0), 0)
