"""HTTP: a table of exact paths for each audience; whatever is not in it does not exist there.

The path is compared as it was sent, undecoded, so that no spelling of it reaches an engine's
control endpoints; the address an engine is asked at never contains anything a client sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.web.admin import Admin, BootRequests
from synapse_arbiter.web.proxy import Proxy
from synapse_arbiter.web.reads import Catalogue, Probes, Scrape
from synapse_arbiter.web.response import refusal
from synapse_arbiter.web.status.stream import StatusStream
from synapse_common.answers.endpoints import ENDPOINTS

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Routes = dict[str, tuple[str, Handler]]
Check = Callable[[web.BaseRequest], None]


class App:
    """Finds the handler of a request."""

    def __init__(self, routes: Routes, *checks: Check) -> None:
        """Serve these paths and no others, to whom every check lets pass."""
        self._routes = routes
        self._checks = checks

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.raw_path.partition("?")[0]
        method, handler = self._routes.get(path, ("", None))
        try:
            for check in self._checks:
                check(request)
            if handler is None:
                raise RefusedError("path_not_found", "There is nothing at this path.")
            if request.method != method:
                raise RefusedError("method_not_allowed", f"This path takes {method} only.")
            return await handler(request)
        except RefusedError as refused:
            return refusal(refused, path)


def inference(proxy: Proxy, catalogue: Catalogue, probes: Probes, names: list[str]) -> Routes:
    """Build the table for applications, and for the probes that say whether they are served."""
    table: Routes = {path: ("POST", partial(proxy.handle, path=path)) for path in ENDPOINTS}
    table["/v1/models"] = ("GET", catalogue.models)
    for name in names:
        table[f"/v1/models/{name}"] = ("GET", partial(catalogue.model, name=name))
    for probe in (probes.healthz, probes.readyz):
        table[f"/{probe.__name__}"] = ("GET", probe)
    return table


def boot(boots: BootRequests) -> Routes:
    """Build the table for engines that want to start."""
    return {f"/boot/{ask.__name__}": ("POST", ask) for ask in (boots.wait, boots.hold, boots.end)}


def metrics(scrape: Scrape) -> Routes:
    """Build the table for Prometheus."""
    return {"/metrics": ("GET", scrape.metrics)}


def operator(admin: Admin, feed: StatusStream, names: list[str]) -> Routes:
    """Build the table for people: the page, the status, the commands."""
    table: Routes = {
        "/": ("GET", feed.page),
        "/status": ("GET", feed.status),
        "/status/stream": ("GET", feed.stream),
    }
    for name in names:
        table[f"/admin/pin/{name}"] = ("POST", partial(admin.pin, model=name))
        table[f"/admin/recycle/{name}"] = ("POST", partial(admin.recycle, model=name))
    for order in (admin.unpin, admin.release, admin.reclaim):
        table[f"/admin/{order.__name__}"] = ("POST", order)
    return table
