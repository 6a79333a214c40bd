"""Simulated engines that share one GPU, in one process, each starting by the arbiter's lease."""

import argparse
import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import uvloop

from vllm_simulator import GIB, MemoryGpu, Settings, Simulator, serve


def lease(arbiter: str, secret: str) -> Callable[[str], Awaitable[None]]:
    """Return what an engine does before it starts again: what the wrapper does in a container."""

    async def ask(model: str) -> None:
        who = {"model": model, "instance": uuid.uuid4().hex}
        headers = {"authorization": f"Bearer {secret}"}
        async with aiohttp.ClientSession(headers=headers) as client:
            while True:
                try:
                    async with client.post(f"{arbiter}/boot/wait", json=who) as answer:
                        if (await answer.json()).get("granted"):
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)

    return ask


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--arbiter", required=True)
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="of the first; the others follow")
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=SECONDS")
    options = parser.parse_args()
    pairs = (one.split("=") for one in options.set)
    values = {name: int(value) if value.isdigit() else float(value) for name, value in pairs}
    gpu, secret = MemoryGpu(32 * GIB), options.secret_file.read_text()
    async with AsyncExitStack() as stack:
        for index, model in enumerate(options.models):
            settings = Settings(model=model, dev_mode=True, max_num_seqs=64, **values)  # type: ignore[arg-type]
            simulator = Simulator(settings, gpu)
            await stack.enter_async_context(serve(simulator, options.port + index))
            await simulator.engine.sleep(1, "abort")
            simulator._before_boot = lease(options.arbiter, secret)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
