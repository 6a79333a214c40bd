"""Stands in for Speaches: its paths and its words, with pocketsphinx and some words.

As Speaches does, it serves what has a model card in Hugging Face's cache, without a restart.
"""

import os
from functools import partial
from pathlib import Path

import uvicorn
from answering import hear
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODELS = Path(os.environ.get("HF_HOME", "/tmp/huggingface")) / "hub"


def main() -> None:
    """Serve until told to stop."""
    host, port = os.environ.get("UVICORN_HOST", "127.0.0.1"), os.environ.get("UVICORN_PORT", "8000")
    uvicorn.run(app(), host=host, port=int(port), log_config=None)


def app() -> Starlette:
    """Return the application."""
    heard = partial(hear, installed=installed)
    return Starlette(
        routes=[
            Route("/v1/audio/transcriptions", heard, methods=["POST"]),
            Route("/v1/audio/translations", heard, methods=["POST"]),
            Route("/v1/models", models),
            Route("/health", health),
        ],
        exception_handlers={HTTPException: refused, Exception: broken},
    )


async def refused(_: Request, reason: Exception) -> Response:
    """Say why a request is refused."""
    assert isinstance(reason, HTTPException)
    return JSONResponse({"detail": reason.detail}, reason.status_code)


async def broken(_: Request, error: Exception) -> Response:
    """Say what nobody had thought of."""
    return JSONResponse({"detail": "Internal server error", "error": str(error)}, 500)


async def health(_: Request) -> Response:
    """Say that the process answers."""
    return JSONResponse({"message": "OK"})


async def models(_: Request) -> Response:
    """List what is on the volume."""
    data = [{"id": name, "object": "model", "owned_by": name.split("/")[0]} for name in installed()]
    return JSONResponse({"object": "list", "data": data})


def installed() -> list[str]:
    """Return the models whose card is on the volume."""
    cards = MODELS.glob("models--*/snapshots/*/README.md")
    folders = {card.parents[2].name for card in cards}
    return sorted(name.removeprefix("models--").replace("--", "/") for name in folders)


if __name__ == "__main__":
    main()
