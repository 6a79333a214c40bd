"""Listens at ports, over IPv4 and IPv6, and sends each who connects its name."""

from __future__ import annotations

import asyncio
import sys


async def main(name: str, ports: list[int]) -> None:
    """Listen until somebody ends it."""

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name.encode())
        await writer.drain()
        writer.close()

    for port in ports:
        await asyncio.start_server(tell, None, port)
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], [int(port) for port in sys.argv[2:]]))
