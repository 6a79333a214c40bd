"""The GPU's lines of the health table, as the arbiter tells them; it wakes nothing."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import httpx

from synapse_cli.cluster import Answer
from synapse_cli.table import Row
from synapse_common.engines import VLLM

GIB = 1024**3
STATES = {
    "unknown": "not looked at yet",
    "moving": "falls asleep or wakes up",
    "booting": "starting",
    "waiting": "waits for its turn to start",
    "stuck": "stuck: it holds memory and could not be replaced",
}
PREPARING = re.compile(r"boot lease: .*?: ([\d.]+ GiB so far|begins), ")
WELL = ("awake", "asleep", "moving", "waiting", "booting", "unknown")


def gpu_rows(names: Iterable[str], answer: Answer) -> Iterator[Row]:
    """One row for the GPU and one for each of its models, from the arbiter's status."""
    if answer.status != httpx.codes.OK:
        for name in names:
            yield Row(VLLM.name, name, "unknown, the arbiter does not answer", False)
        return
    status = json.loads(answer.body)
    yield Row("gpu", "", gpu_state(status["gpu"]), True, answer.latency_s)
    models = {model["name"]: model for model in status["models"]}
    for name in names:
        if name in models:
            yield engine_row(models[name])
        else:
            yield Row(VLLM.name, name, "unknown to the arbiter; run make deploy-arbiter", False)


def gpu_state(gpu: dict[str, Any]) -> str:
    """Memory in use, and what somebody ordered."""
    total_gib, used = gpu["total_bytes"] / GIB, gpu["used_bytes"]
    parts = [
        f"{total_gib:.1f} GiB, use unknown"
        if used is None
        else f"{used / GIB:.1f} of {total_gib:.1f} GiB in use"
    ]
    if gpu["released_until_s"] is not None:
        parts.append(f"released until {clock(gpu['released_until_s'])}")
    if gpu["pinned"] is not None:
        parts.append(f"{gpu['pinned']} is pinned")
    return ", ".join(parts)


def engine_row(model: dict[str, Any]) -> Row:
    """One model's condition and who runs and waits there."""
    state, reason = model["state"], model["reason"]
    told = STATES.get(state, state)
    if state in ("away", "quarantined"):
        told += f" ({reason})" if reason else ""
    for number, doing in ((model["running"], "running"), (model["waiting"], "waiting")):
        told += f", {number} {doing}" if number else ""
    return Row(VLLM.name, model["name"], told, state in WELL)


def downloading(row: Row, last_words: Callable[[str], str]) -> Row:
    """The same row, or how far its download is where an engine is away because of that."""
    if not row.model or not row.state.startswith("away"):
        return row
    found = PREPARING.findall(last_words(row.model))
    return replace(row, state=f"downloading, {found[-1]}", healthy=True) if found else row


def clock(unix_s: float) -> str:
    """A moment as this machine's clock shows it, with the day where it is not today's."""
    moment = time.localtime(unix_s)
    today = moment[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", moment)
