"""The ways in which clients ask a model, one module each."""

from aiohttp import web

from vllm_simulator.dialects import (
    chat,
    completions,
    embeddings,
    listing,
    messages,
    pooling,
    responses,
    scores,
)


def add_routes(app: web.Application, kind: str) -> None:
    """Add the routes of an engine of this kind; it has no others."""
    listing.add_routes(app)
    if kind == "generate":
        for dialect in (chat, completions, responses, messages):
            dialect.add_routes(app)
        return
    scores.add_routes(app)
    pooling.add_routes(app, kind)
    if kind == "embed":
        embeddings.add_routes(app)
