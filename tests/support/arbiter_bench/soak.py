"""10,000 requests, random models, clients that leave, a fault every 50: who got what."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from arbiter_bench.processes import resident_mib
from arbiter_bench.server import Site, site
from judging import judge

CLIENTS = 32
THINK_S = 0.3
ASK_AGAIN_S = 1.0  # after an error
FAULT_EVERY = 50
LEAVES = 0.05
PATIENCE_S = 120.0
MODELS = ("a", "b", "c")
ENGINE = {
    "sleep_s": 0.02,
    "first_sleep_s": 0.02,
    "wake_s": 0.03,
    "boot_s": 0.1,
    "ttft_s": 0.002,
    "tokens_per_s": 2000,
}
FAULTS: tuple[dict[str, dict[str, float]], ...] = (
    {"sleep_frees_nothing": {"times": 1}},
    {"sleep_fails": {"times": 1}},
    {"sleep_slow": {"times": 1, "seconds": 0.2}},
    {"sleep_kills": {"times": 1, "exits_after_s": 0.1}},
    {"wake_slow": {"times": 1, "seconds": 0.2}},
    {"wake_out_of_memory": {"times": 1}},
    {"wake_stays_asleep": {"times": 1}},
    {"wake_kills": {"times": 1, "exits_after_s": 0.1}},
    {"leak": {"times": 1, "gib": 0.2}},
    {"garbage": {"times": 1}},
    {"dead": {"exits_after_s": 0.1}},
    {"generation_hangs": {"times": 1}},
    {"generation_fails": {"times": 1}},
    {"abort_answers": {"times": 1}},
    {"truncate_answers": {"times": 1}},
    {"truncate_answers": {"times": 1, "reset": 1}},
    {"metrics_away": {"times": 2}},
    {"vram_away": {"times": 2}},
    {"restart": {}},
)
# Short ones, so that a fault costs a second and not a minute.
LIMITS = {
    "watch_s": 0.2,
    "verify_s": 0.5,
    "quiet_s": 0.5,
    "answer_s": 1.0,
    "canary_s": 0.5,
    "sleep_s": 1.0,
    "wake_s": 1.0,
    "connect_s": 0.5,
}


@dataclass
class Tally:
    """How the requests ended."""

    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    strange: list[str] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)


async def soak(folder: Path, requests: int) -> dict[str, Any]:
    """Play it and count."""
    tally, chance = Tally(), random.Random(4)
    started_s = asyncio.get_running_loop().time()
    async with site(folder, *MODELS, engine=ENGINE, limits=LIMITS) as home:
        await asyncio.gather(*(_client(home, tally, chance, requests) for _ in range(CLIENTS)))
        twice = await _sent_twice(home)
        recovered = [await _recovers(home, model) for model in MODELS]
    lost = tally.outcomes["lost"]
    tenth = max(1, len(tally.memory_mib) // 10)
    seconds = asyncio.get_running_loop().time() - started_s
    return {
        "seconds": seconds,
        "requests": requests,
        "faults": tally.faults,
        "answered": tally.outcomes["answered"],
        "explicit_errors": tally.outcomes["error"],
        "clients_left": tally.outcomes["left"],
        "lost": lost + requests - sum(tally.outcomes.values()),
        "truncated": tally.outcomes["truncated"],
        "twice": twice,
        "recovered": all(recovered),
        "memory_early_mib": max(tally.memory_mib[tenth : 3 * tenth]),
        "memory_late_mib": max(tally.memory_mib[-2 * tenth :]),
        "strange": tally.strange[:5],
    }


async def _client(home: Site, tally: Tally, chance: random.Random, requests: int) -> None:
    while tally.asked < requests:
        tally.asked += 1
        number = tally.asked
        if number % FAULT_EVERY == 0:
            tally.faults += 1
            await _strike(home, chance.choice(MODELS), chance.choice(FAULTS))
        if number % 100 == 0:
            tally.memory_mib.append(resident_mib(home.arbiter_pid))
        asking = asyncio.create_task(
            _ask(home, tally, chance.choice(MODELS), f"soak-{number}", chance.random() < 0.5)
        )
        if chance.random() < LEAVES:
            await asyncio.wait([asking], timeout=chance.random() * 0.2)
            asking.cancel()
        try:
            outcome = await asking
        except asyncio.CancelledError:
            outcome = "left"
        tally.outcomes[outcome] += 1
        await asyncio.sleep(ASK_AGAIN_S if outcome == "error" else THINK_S)


async def _ask(home: Site, tally: Tally, model: str, name: str, stream: bool) -> str:
    """Ask once and judge the answer: whole, an explicit error, cut short, or lost."""
    question = {
        "model": model,
        "messages": [{"role": "user", "content": name}],
        "max_tokens": 8,
        "stream": stream,
    }
    url = f"{home.url}/v1/chat/completions"
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            home.client.post(url, json=question, headers={"x-request-id": name}) as answer,
        ):
            body = await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        tally.strange.append(f"{name}: {type(error).__name__}: {error}")
        return "lost"
    judged = judge(answer.status, body, stream)
    if judged in ("truncated", "lost"):
        tally.strange.append(f"{name}: {answer.status} {body[-200:]!r}")
    return judged


async def _strike(home: Site, model: str, fault: dict[str, dict[str, float]]) -> None:
    async with home.client.post(f"{home.engines[model]}/simulator/faults", json=fault) as answer:
        answer.raise_for_status()


async def _sent_twice(home: Site) -> int:
    """Count the requests that reached engines more than once; they keep the latest 5,000 each."""
    seen: Counter[str] = Counter()
    for url in home.engines.values():
        async with home.client.get(f"{url}/simulator/requests") as answer:
            arrivals = (await answer.json())["arrivals"]
        seen.update(one["request_id"] for one in arrivals if "soak-" in one["request_id"])
    return sum(count > 1 for count in seen.values())


async def _recovers(home: Site, model: str) -> bool:
    """Say whether a model serves again after all that."""
    async with home.client.delete(f"{home.engines[model]}/simulator/faults") as answer:
        await answer.read()
    async with asyncio.timeout(PATIENCE_S):
        while (await home.ask(model, max_tokens=1))[0] != 200:  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.1)
    return True
