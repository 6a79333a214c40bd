"""Read a simulated card from a shell or over HTTP: python -m vllm_simulator.card --card FOLDER."""

import argparse
import json
from pathlib import Path

from aiohttp import web

from vllm_simulator.card import DirectoryCard, reading
from vllm_simulator.settings import GIB


def main() -> None:
    """Print the card once, or serve it as GET /vram."""
    parser = argparse.ArgumentParser(prog="vllm_simulator.card", description=__doc__)
    parser.add_argument("--card", type=Path, required=True, help="folder of the card")
    parser.add_argument("--size-gib", type=float, help="make the card first if it is missing")
    parser.add_argument("--serve", type=int, metavar="PORT", help="serve GET /vram on this port")
    options = parser.parse_args()
    size = None if options.size_gib is None else int(options.size_gib * GIB)
    card = DirectoryCard(options.card, size)
    if options.serve is None:
        print(json.dumps(reading(card)))
        return

    async def vram(_request: web.Request) -> web.Response:
        return web.json_response(reading(card))

    app = web.Application()
    app.router.add_get("/vram", vram)
    web.run_app(app, host="127.0.0.1", port=options.serve, print=None)


if __name__ == "__main__":
    main()
