"""Random sites: whatever the check accepts sends nothing outside for who may not leave.

`SYNAPSE_SITE_EXAMPLES` sets how many sites are made; the few of an ordinary run are the same every
time.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import aiohttp
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from random_sites import Entry, Site, sites
from relayed import Client, FakeEngines, Honest, Sent, places, spending
from synapse_common.bodies.budget import Budget, room
from synapse_common.bodies.incoming import at_once
from synapse_common.refusals import Refusal
from synapse_deploy.catalogue import check, resolve
from synapse_deploy.render import gateway_config
from synapse_gateway import errors, routes
from synapse_gateway.config import App, Config, build
from synapse_gateway.relay import chain
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.ollama_facts import OllamaFacts
from synapse_gateway.relay.text import TextJob
from synapse_gateway.request import model_of, understand

EXAMPLES = int(os.environ.get("SYNAPSE_SITE_EXAMPLES", "0"))
SITES = EXAMPLES or 260
HI = [{"role": "user", "content": "hi"}]
ASKED: dict[str, list[tuple[str, Entry]]] = {
    "chat": [
        ("/v1/chat/completions", {"messages": HI}),
        ("/v1/responses", {"input": "hi"}),
        ("/v1/messages", {"messages": HI, "max_tokens": 9}),
        ("/api/chat", {"messages": HI}),
    ],
    "embedding": [("/v1/embeddings", {"input": "hi"})],
}
"""Of text, which goes all the way; of sound only the chain is looked at."""
LEADS_OUT = "outside the house", "out of the house"
AWAY = aiohttp.ClientConnectionError("nobody is there")


class Nobody(dict[str, Exception]):
    """Engines none of which answers, so that every model that may be asked is."""

    def __missing__(self, name: str) -> Exception:
        return AWAY


def configured(site: Entry, road: str) -> Config:
    """Return the gateway's configuration as the wiring makes it of a site."""
    models, gpus = site["synapse_models"], site["synapse_gpus"]
    served = resolve.resolve(models, gpus)
    names = resolve.resolve_names(site["synapse_aliases"], models, gpus)
    apps = resolve.resolve_apps(site["synapse_apps"])
    engines = resolve.addresses(served)
    return build(gateway_config.gateway(served, names, apps, engines, {}, road))


def asked(known: Config, app: App) -> Iterator[tuple[str, str]]:
    """Yield every name that an application may ask for, with its kind."""
    for name in [*known.models, *known.aliases]:
        model = known.resolve(name)
        if model is None:
            continue
        try:
            model_of(name, model.kind, app, known)
        except Refusal:
            continue
        yield name, model.kind


async def asks(known: Config, app: App, engines: FakeEngines, number: int) -> set[str]:
    """Ask for everything that an application may, and return the models that were asked."""
    found: set[str] = set()
    paying = spending(known)
    for name, kind in asked(known, app):
        first = known.resolve(name)
        assert first is not None
        if kind not in ASKED:
            found |= {model.name for model in known.chain(first, app)}
            continue
        path, body = ASKED[kind][number % len(ASKED[kind])]
        written = at_once(orjson.dumps({"model": name, **body}))
        request = understand(written, routes.ROUTES[path], app, known)
        client = Client(path)
        client.record.app, client.record.model = app, request.model
        engines.sent.clear()
        with Budget(room(1024), errors.GatewayFull).held_by(app.name) as held:
            job = TextJob(request, cast(Engines, engines), known, cast(OllamaFacts, Honest()), held)
            with pytest.raises(Refusal):
                await chain.run(job, name, request.model, client, known, places(), paying)
        assert engines.sent, "somebody is asked"
        assert all(map(_stays_where_it_is_sent, engines.sent))
        found |= {sent.model.name for sent in engines.sent}
    return found


def _stays_where_it_is_sent(sent: Sent) -> bool:
    """Say that LiteLLM, if it is asked, has no fallback of its own."""
    return not sent.model.via_litellm or sent.body.get("disable_fallbacks") is True


def leads_to(site: Site, name: str, seen: tuple[str, ...] = ()) -> set[str]:
    """Return all that a name may lead to by fallbacks."""
    if name in seen:
        return set()
    fallbacks: list[str] = site.models[name]["fallbacks"]
    return {name}.union(*(leads_to(site, each, (*seen, name)) for each in fallbacks))


def reachable(site: Site, app: Entry) -> set[str]:
    """Return the models that an application's names lead to; of "*" those in the house begin."""
    aliases = {each["name"]: each["model"] for each in site.written["synapse_aliases"]}
    every = [name for name in site.models if name not in site.outside]
    names = every if app["models"] == ["*"] else app["models"]
    return set().union(*(leads_to(site, aliases.get(name, name)) for name in names))


def test_what_the_check_accepts_sends_nothing_outside_for_who_may_not() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=SITES, derandomize=not EXAMPLES, deadline=None, database=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.generate],  # a site takes long enough without a search for a smaller one
    )  # fmt: skip
    @given(sites(), st.sampled_from(["direct", "litellm"]), st.integers(0, 3))
    def each(site: Site, road: str, number: int) -> None:
        found = [one.text for one in check.problems(site.written)]
        others = [text for text in found if not any(words in text for words in LEADS_OUT)]
        seen["accepted" if not found else "refused"] += 1
        seen["refused for what leaves"] += bool(found) and not others
        if others:
            return
        if not found:
            for app in site.written["synapse_apps"]:
                assert app.get("may_leave") or not reachable(site, app) & site.outside
        # The gateway alone lets nothing out either: what leads outside is taken out of its chains.
        known = configured(site.written, road)
        engines = FakeEngines(cast(Any, Nobody()), known)
        for app in known.apps.values():
            went = asyncio.run(asks(known, app, engines, number)) & site.outside
            seen["left"] += bool(went)
            assert app.may_leave or not went, (app.name, went)

    each()
    assert seen["accepted"] >= SITES * 0.4, seen
    assert seen["refused"] >= SITES * 0.2, seen
    assert seen["refused for what leaves"] >= SITES * 0.1, seen
    assert seen["left"] >= SITES * 0.4, "applications that may leave do"
