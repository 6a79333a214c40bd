"""What models outside cost: booked before a request leaves, corrected once its cost is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import App, Config, Model
from synapse_gateway.log_pipe import now, write_line
from synapse_gateway.usage import tariffs
from synapse_gateway.usage.counts import NANO, Key, Limit, nano, next_month
from synapse_gateway.usage.store import StoreError
from synapse_gateway.usage.tariffs import Tariff, Took
from synapse_gateway.usage.usage import Usage

IN_ALL = "gateway_monthly_usd"
LONGEST = 32_768
"""Tokens of an answer, where nobody tells how many a model may write: few write more at once."""


class Outlay:
    """What one attempt at a model costs: nothing in the house. It ends in one way or the other."""

    def answered(self) -> None:
        """End well."""

    def failed(self, *, was_sent: bool) -> None:
        """End without a whole answer, of a model that has or has not worked for it."""


FREE = Outlay()


@dataclass
class Booked(Outlay):
    """The same of a model outside."""

    usage: Usage
    record: RequestRecord
    model: Model
    key: Key
    tariff: Tariff
    most: Took
    """The most that the attempt may take, as far as its request tells."""
    nano_usd: int
    """What is written down already."""

    def answered(self) -> None:
        """Pay what the engine told; what it did not tell is taken as it was booked."""
        told, took = self._told(), self.most
        if told.tokens_in or told.tokens_out:
            took = told
        if self.record.audio_s is not None and took.audio_s:
            took = replace(took, audio_s=self.record.audio_s)
        self._pay(took)

    def failed(self, *, was_sent: bool) -> None:
        """Pay a stream as far as it went, where that is seen, and else all that was booked."""
        if not was_sent or self.record.outside != self.model.name:
            self._pay(Took())
        elif self.record.stream:
            self._pay(self._streamed())
        else:
            self._pay(self.most)

    def _streamed(self) -> Took:
        """Return what a stream took that broke off: providers count what they think unseen too."""
        told = self._told()
        if self.record.tokens_counted and told.tokens_out:
            return told
        # Of what came in, what the engine told counts; the log's estimate may be too low.
        took = told if told.tokens_in else self.most
        heard = (self.record.tokens_out or 0) if self.record.tokens_estimated else 0
        if not heard or self._may_think:
            heard = max(heard, self.most.tokens_out)
        return replace(took, tokens_out=heard)

    @property
    def _may_think(self) -> bool:
        return self.model.capabilities is None or "reasoning" in self.model.capabilities

    def _told(self) -> Took:
        """Return what the engine told; how many queries it was is known beforehand."""
        return replace(Took.told(self.record.usage or {}), queries=self.most.queries)

    def _pay(self, took: Took) -> None:
        cost = self.tariff.nano_usd(took)
        self.record.nano_usd = (self.record.nano_usd or 0) + cost
        if cost != self.nano_usd:
            self.usage.spend(self.key, cost - self.nano_usd)


class Spending:
    """Knows prices and limits."""

    def __init__(self, config: Config, usage: Usage) -> None:
        """Read LiteLLM's list, where a model of the configuration needs it."""
        self._usage = usage
        self._in_all = config.settings.monthly_usd
        outside = [model for model in config.models.values() if model.leaves]
        listed = tariffs.listed({each.listed_as: each.kind for each in outside if each.listed_as})
        self._tariffs = {
            model.name: tariffs.written(model.price, model.kind)
            if model.price
            else listed.get(model.listed_as)
            for model in outside
        }
        for name, tariff in self._tariffs.items():
            if tariff is None and config.limits_money:
                write_line({"ts": now(), "event": "price_unknown", "model": name})

    def longest(self, model: Model) -> int:
        """Return the most tokens of an answer of which the request sets no limit."""
        tariff = self._tariffs.get(model.name)
        longest = tariff.longest if tariff and tariff.longest else LONGEST
        return min(longest, model.context or longest)

    async def book(self, record: RequestRecord, model: Model, most: Took) -> Outlay:
        """Book what an attempt may cost; raise Refusal where a limit is in the way."""
        app, tariff = record.app, self._tariffs[model.name]
        if app is None or not app.may_leave:  # the chain has no such model for it
            raise errors.may_not_leave(model.name, app.name if app else "")
        key = self._usage.key(app.name, record.person, model.name)
        limits = self._limits(app)
        if tariff is None and limits:
            raise errors.price_unknown(model.name, _name(limits[0]))
        if tariff is None:
            return FREE  # as far as anybody knows
        if not limits:
            return Booked(self._usage, record, model, key, tariff, most, 0)
        cost = tariff.nano_usd(most)
        try:
            in_the_way = await self._usage.book(key, cost, limits)
        except StoreError:
            raise errors.usage_not_kept() from None
        if in_the_way:
            raise _refusal(*in_the_way, cost, next_month(key.day))
        return Booked(self._usage, record, model, key, tariff, most, cost)

    def _limits(self, app: App) -> list[Limit]:
        own = [Limit(app.name, nano(app.monthly_usd))] if app.monthly_usd is not None else []
        return own + ([Limit(None, nano(self._in_all))] if self._in_all is not None else [])


def _name(limit: Limit) -> str:
    """Return what the operator calls a limit."""
    return f"monthly_usd of the application '{limit.app}'" if limit.app else IN_ALL


def _refusal(limit: Limit, left_nano_usd: int, cost_nano_usd: int, anew: str) -> Refusal:
    left_usd = max(0, left_nano_usd) / NANO
    return errors.budget_spent(
        _name(limit), limit.nano_usd / NANO, left_usd, cost_nano_usd / NANO, anew
    )
