"""Read a simulated GPU from a shell or over HTTP: python -m vllm_simulator.gpu --gpu FOLDER."""

import argparse
import json
from pathlib import Path

from aiohttp import web

from vllm_simulator.gpu import DirectoryGpu, reading
from vllm_simulator.settings import GIB


def main() -> None:
    """Print the GPU once, or serve it as GET /vram."""
    parser = argparse.ArgumentParser(prog="vllm_simulator.gpu", description=__doc__)
    parser.add_argument("--gpu", type=Path, required=True, help="folder of the GPU")
    parser.add_argument("--size-gib", type=float, help="make the GPU first if it is missing")
    parser.add_argument("--serve", type=int, metavar="PORT", help="serve GET /vram on this port")
    options = parser.parse_args()
    size = None if options.size_gib is None else int(options.size_gib * GIB)
    gpu = DirectoryGpu(options.gpu, size)
    if options.serve is None:
        print(json.dumps(reading(gpu)))
        return

    async def vram(_request: web.Request) -> web.Response:
        return web.json_response(reading(gpu))

    app = web.Application()
    app.router.add_get("/vram", vram)
    web.run_app(app, host="127.0.0.1", port=options.serve, print=None)


if __name__ == "__main__":
    main()
