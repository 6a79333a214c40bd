"""The ways in which clients ask a model, one module each."""

from aiohttp import web

from vllm_simulator.dialects import (
    chat,
    completions,
    embeddings,
    listing,
    messages,
    responses,
    scores,
)


def add_routes(app: web.Application, kind: str) -> None:
    """Add the routes of an engine of this kind; it has no others."""
    listing.add_routes(app)
    if kind == "embed":
        embeddings.add_routes(app)
    elif kind == "score":
        scores.add_routes(app)
    else:
        for dialect in (chat, completions, responses, messages):
            dialect.add_routes(app)
