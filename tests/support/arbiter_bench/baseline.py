"""The least that aiohttp can do: a reverse proxy that only copies, to compare the arbiter with."""

import asyncio
import sys

import aiohttp
import uvloop
from aiohttp import web


async def _serve(port: int, upstream: str) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as http:

        async def copy(request: web.BaseRequest) -> web.StreamResponse:
            body = await request.read()
            headers = {"content-type": request.content_type}
            async with http.post(upstream + request.path, data=body, headers=headers) as answer:
                kept = {"content-type": answer.headers["content-type"]}
                if answer.content_type != "text/event-stream":
                    return web.Response(body=await answer.read(), headers=kept)
                response = web.StreamResponse(headers=kept)
                await response.prepare(request)
                async for data in answer.content.iter_any():
                    await response.write(data)
                return response

        server = web.Server(copy, access_log=None)
        listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", port)
        await listening.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2]))
