"""An arbiter before simulated engines, each in a process of its own, and a client that counts."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import yaml

from arbiter_bench.processes import running

ARBITER, BOOT, METRICS, OPERATOR, ENGINES = 24060, 24061, 24062, 24063, 24064
LOAD_2_S = {"sleep_s": 0.5, "first_sleep_s": 0.5, "wake_s": 1.5}
ANSWER_HALF_S = {"ttft_s": 0.02, "tokens_per_s": 50, "answer_tokens": 24}


@dataclass
class Site:
    """What a scene works with."""

    client: aiohttp.ClientSession
    arbiter_pid: int
    engines: dict[str, str]  # name -> address
    url: str = f"http://127.0.0.1:{ARBITER}"

    async def ask(self, model: str, request_id: str = "", **more: Any) -> tuple[int, str, float]:
        """ModelRequest once; return the status, the error's code and the seconds it took."""
        question = {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}
        started_s = time.perf_counter()
        headers = {"x-request-id": request_id} if request_id else {}
        url = f"{self.url}/v1/chat/completions"
        async with self.client.post(url, json=question, headers=headers) as answer:
            body = await answer.read()
        code = str(orjson.loads(body)["error"].get("code")) if answer.status != 200 else ""
        return answer.status, code, time.perf_counter() - started_s

    async def status(self) -> dict[str, Any]:
        """Read the arbiter's status."""
        async with self.client.get(f"http://127.0.0.1:{OPERATOR}/status") as answer:
            return dict(await answer.json())


@asynccontextmanager
async def site(
    folder: Path,
    *models: str,
    engine: Mapping[str, float],
    concurrency: int = 64,
    **settings: Any,
) -> AsyncIterator[Site]:
    """Start everything, all engines asleep, and wait until the arbiter knows them."""
    urls = {name: f"http://127.0.0.1:{ENGINES + i}" for i, name in enumerate(models)}
    path, secret_file = folder / "site.yml", folder / "boot-secret"
    secret_file.write_text(secrets.token_hex())
    settings |= {"boot_secret_file": str(secret_file)}
    path.write_text(yaml.safe_dump(_config(urls, engine, concurrency, settings)))
    values = [f"{name}={value}" for name, value in engine.items()]
    arguments = ["--arbiter", f"http://127.0.0.1:{BOOT}", "--port", str(ENGINES)]
    arguments += ["--secret-file", str(secret_file)]
    arguments += ["--models", *models, "--set", *values]
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        last = ENGINES + len(models) - 1
        await start(
            running("arbiter_bench.engines", *arguments, port=last, log=folder / "engines.log")
        )
        pid = await start(
            running(
                "synapse_arbiter",
                "--config",
                str(path),
                port=ARBITER,
                log=folder / "arbiter.log",
            )
        )
        limit = aiohttp.ClientTimeout(total=600)
        client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=limit)
        made = Site(await start(client), pid, urls)
        async with asyncio.timeout(20):
            while (await made.status())["phase"] != "ready":  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.02)
        yield made


def _config(
    urls: Mapping[str, str],
    engine: Mapping[str, float],
    concurrency: int,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    model = {"vram_gib": 24, "max_wait_s": 100_000, "concurrency": concurrency, "answer_s": 0.5}
    model |= {key: engine[key] for key in ("sleep_s", "wake_s")}
    command = [sys.executable, "-m", "arbiter_bench.restart", "{model}"]
    command += [f"{name}={url}" for name, url in urls.items()]
    return {
        "ports": {
            "inference": ARBITER,
            "boot": BOOT,
            "metrics": METRICS,
            "operator": OPERATOR,
        },
        "gpu": {"vram_gib": 32, "vram_source": f"{next(iter(urls.values()))}/vram"},
        "models": [{"name": name, "url": url, **model} for name, url in urls.items()],
        "recycle": {"how": "command", "command": command},
        **settings,
    }
