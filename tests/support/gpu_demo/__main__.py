"""Watch one GPU at work: three simulated models, the arbiter, and people who ask.

    python -m gpu_demo [PORT]

The status page is at PORT; its admin token is printed. Ctrl-C ends it all.
"""

import asyncio
import random
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import aiohttp

from harness.server import TOKEN, Server, run_server

SIZES_GIB = {"chat": 21.0, "coder": 24.5, "vision": 16.0}
OPTIONS = ["--boot-s=4", "--tokens-per-s=60", "--wake-s=1.2", "--sleep-s=0.3"]
# Who asks for what: the model, the pause between two questions in seconds, and the priority.
PEOPLE = [
    ("chat", 6.0, "interactive"),
    ("chat", 9.0, "interactive"),
    ("coder", 3.0, "interactive"),
    ("coder", 5.0, "interactive"),
    ("vision", 40.0, "interactive"),
    ("chat", 1.0, "batch"),
]


async def main(port: int) -> None:
    """Run until interrupted."""
    ports = {"operator": port}
    with tempfile.TemporaryDirectory(prefix="one-gpu-") as name:
        async with run_server(Path(name), SIZES_GIB, OPTIONS, ports) as server:
            page = server.at("operator")
            print(f"Status page: {page}/ (admin token: {TOKEN}). Ctrl-C ends it.", flush=True)
            people = asyncio.gather(*(_person(server, *person) for person in PEOPLE))
            # Ctrl-C and a plain kill both end the processes too.
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, people.cancel)
            with suppress(asyncio.CancelledError):
                await people


async def _person(server: Server, model: str, pause_s: float, priority: str) -> None:
    """ModelRequest again and again, as long as it takes."""
    dice = random.Random(f"{model} {pause_s} {priority}")
    headers = {"x-synapse-priority": priority, "x-synapse-max-wait": "600"}
    async with aiohttp.ClientSession(server.url, headers=headers) as client:
        while True:
            question = {
                "model": model,
                "messages": [{"role": "user", "content": f"question {dice.random()}"}],
                "max_tokens": dice.randint(20, 300),
                "ignore_eos": True,
            }
            with suppress(aiohttp.ClientError):
                async with client.post("/v1/chat/completions", json=question) as response:
                    await response.read()
            await asyncio.sleep(dice.expovariate(1 / pause_s))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8080))
