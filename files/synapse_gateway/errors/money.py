"""Refusals about what models outside the house cost."""

from __future__ import annotations

from synapse_common.refusals import Refusal
from synapse_gateway.errors.retries import QUEUE_RETRY_S, UNAVAILABLE_RETRY_S


class Unaffordable(Refusal):
    """A limit in money is in the way of a model outside; one in the house may answer."""


def budget_spent(
    limit: str, limit_usd: float, left_usd: float, cost_usd: float, anew: str
) -> Unaffordable:
    """What models outside may cost in this month is spent, or nearly; trying again is no use."""
    if left_usd > 0:
        what = (
            f"This request may cost up to ${cost_usd:.4f} outside the house, and ${left_usd:.4f} "
            f"of ${limit_usd:.2f} a month are left ({limit}). Send less, or a smaller limit on the "
            "answer's tokens;"
        )
    else:
        what = (
            f"The limit of ${limit_usd:.2f} a month for models outside the house is used up "
            f"({limit}). Ask for a model in the house;"
        )
    message = f"{what} it begins anew on {anew} (UTC), and the operator can raise it."
    kind = "insufficient_quota"
    return Unaffordable(429, kind, message, kind, headers={"x-should-retry": "false"})


def price_unknown(model: str, limit: str) -> Unaffordable:
    """There is a limit in money, and nobody knows what the model costs."""
    message = (
        f"The price of the model '{model}' is not known, so it cannot be counted for {limit}. "
        "The operator can write price in the model's entry."
    )
    return Unaffordable(403, "price_unknown", message, param="model")


def usage_not_kept() -> Unaffordable:
    """There is a limit in money, and what the request costs cannot be written down."""
    headers = {"retry-after": str(QUEUE_RETRY_S)}
    message = (
        "What this request costs outside the house cannot be written down, and there is a limit on "
        "it: the gateway's volume for its usage is full or broken. Models in the house answer."
    )
    return Unaffordable(503, "usage_not_kept", message, headers=headers)


def usage_unread() -> Refusal:
    """What was used cannot be read."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S)}
    message = "What was used cannot be read; the gateway's log says why (usage_not_kept)."
    return Refusal(503, "usage_not_kept", message, headers=headers)
