"""HTTP: one table of exact paths; whatever is not in it does not exist.

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
from synapse_arbiter.web.reads import Catalogue, Probes
from synapse_arbiter.web.request import STREAM_ENDS
from synapse_arbiter.web.status.stream import StatusStream

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Routes = dict[str, tuple[str, Handler]]


class App:
    """Finds the handler of a request."""

    def __init__(self, routes: Routes) -> None:
        """Serve these paths and no others."""
        self._routes = routes

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.raw_path.partition("?")[0]
        method, handler = self._routes.get(path, ("", None))
        try:
            if handler is None:
                raise RefusedError("path_not_found", "There is nothing at this path.")
            if request.method != method:
                raise RefusedError("method_not_allowed", f"This path takes {method} only.")
            return await handler(request)
        except RefusedError as refused:
            return refused.response()


def routes(
    proxy: Proxy,
    catalogue: Catalogue,
    admin: Admin,
    boots: BootRequests,
    probes: Probes,
    feed: StatusStream,
    names: list[str],
) -> Routes:
    """Build the table."""
    table: Routes = {path: ("POST", partial(proxy.handle, path=path)) for path in STREAM_ENDS}
    table["/v1/models"] = ("GET", catalogue.models)
    for name in names:
        table[f"/v1/models/{name}"] = ("GET", partial(catalogue.model, name=name))
        table[f"/admin/pin/{name}"] = ("POST", partial(admin.pin, model=name))
        table[f"/admin/recycle/{name}"] = ("POST", partial(admin.recycle, model=name))
    for order in (admin.unpin, admin.release, admin.reclaim):
        table[f"/admin/{order.__name__}"] = ("POST", order)
    for ask in (boots.wait, boots.hold, boots.end):
        table[f"/boot/{ask.__name__}"] = ("POST", ask)
    table["/"] = ("GET", feed.page)
    table["/status"] = ("GET", feed.status)
    table["/status/stream"] = ("GET", feed.stream)
    for probe in (probes.healthz, probes.readyz, probes.metrics):
        table[f"/{probe.__name__}"] = ("GET", probe)
    return table
