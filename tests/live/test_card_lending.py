"""The card lent out, to a game say: everybody is answered by the processor until it is back."""

from collections.abc import Iterator

import httpx
import pytest

from synapse_cli.cluster import Cluster

from .card import Card, ask, served
from .conftest import SETTLE_LIMIT_S, bring_in, eventually, log_line


@pytest.fixture(autouse=True)
def lent(card: Card, http: httpx.Client) -> Iterator[None]:
    """Lend the card out while gpu-chat is on it, and take it back afterwards."""
    bring_in(http, "assistant", "gpu-chat")
    card.order("release?seconds=600")
    yield
    card.order("reclaim")


def test_lent_card_is_empty_but_for_sleepers_and_everybody_falls_back(
    http: httpx.Client, panel: httpx.Client, card: Card, cluster: Cluster
) -> None:
    eventually(lambda: card.awake() == [], SETTLE_LIMIT_S, "an empty card")
    eventually(lambda: card.used_gib() < 4, SETTLE_LIMIT_S, "NVML to say so")
    before = card.wakes()
    answers = [ask(http, "assistant"), ask(http, "coder"), ask(panel, "assistant")]
    assert [served(answer) for answer in answers] == ["tiny-chat"] * 3
    line = log_line(cluster, answers[0].headers["x-request-id"])
    assert (line["asked"], line["fallback"], line["reason"]) == ("assistant", True, "card_released")
    assert card.wakes() == before


def test_card_that_is_taken_back_answers_again(http: httpx.Client, card: Card) -> None:
    eventually(lambda: card.awake() == [], SETTLE_LIMIT_S, "an empty card")
    card.order("reclaim")
    assert served(ask(http, "assistant")) == "gpu-chat"
    assert card.awake() == ["gpu-chat"]
