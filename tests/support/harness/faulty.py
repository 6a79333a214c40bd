"""An arbiter whose engines can be replaced, and ask for the GPU before they start."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness import Harness, running_arbiter

# What the operator's recycle command does here: tell the simulator to start anew.
RECYCLE = """
import pathlib, sys, urllib.request
url = pathlib.Path(sys.argv[1]).read_text() + "/simulator/faults"
urllib.request.urlopen(urllib.request.Request(url, b'{"restart": {}}'), timeout=10)
"""
SECRET = "starter"
LIMITS = {"sleep_s": 0.6, "first_sleep_s": 0.6, "wake_s": 0.6, "canary_s": 0.6, "verify_s": 0.3}


@asynccontextmanager
async def faulty_arbiter(
    folder: Path, *names: str, awake: str | None = "a", **settings: Any
) -> AsyncIterator[Harness]:
    """Start engines and an arbiter that may replace them; all waits are short."""
    open_house: list[Harness] = []

    async def ask_for_the_gpu(model: str) -> None:
        """Do what the wrapper in an engine's container does, once there is an arbiter."""
        instance = str(id(object()))
        while open_house:
            url = f"{open_house[0].at('boot')}/boot/wait"
            ask = {"model": model, "instance": instance}
            headers = {"authorization": f"Bearer {SECRET}"}
            async with open_house[0].client.post(url, json=ask, headers=headers) as response:
                if (await response.json()).get("granted"):
                    return

    limits = {**LIMITS, **settings.pop("limits", {})}
    (folder / "boot-secret").write_text(SECRET)
    command = [sys.executable, "-S", "-c", RECYCLE, f"{folder}/{{model}}"]
    async with running_arbiter(
        *names,
        awake=awake,
        before_boot=ask_for_the_gpu,
        recycle={"how": "command", "command": command},
        limits=limits,
        boot_secret_file=str(folder / "boot-secret"),
        **settings,
    ) as home:
        for name, url in engine_urls(home).items():
            (folder / name).write_text(url)
        open_house.append(home)
        yield home
        open_house.clear()


def engine_urls(home: Harness) -> dict[str, str]:
    """Return where each engine listens."""
    return {model.name: model.url for model in home.arbiter._settings.models}


def strike(home: Harness, model: str, fault: str, **parameters: float) -> None:
    """Switch a fault of one engine on."""
    home.simulators[model].faults.switch_on({fault: parameters})


async def recovers(home: Harness, model: str) -> None:
    """Wait until requests may wait for this model again, and get one answered."""
    usable = ("asleep", "awake")
    await home.until(lambda: home.condition(model) in usable, f"{model} to be usable")
    answer = await home.ask(model)
    assert answer.status == 200, answer.body


def boots(home: Harness, model: str) -> int:
    """Say how often an engine has started."""
    return home.simulators[model].counters["boots"]
