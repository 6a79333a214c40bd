"""The health table's words for models that are still to come, as the model fetcher shows them."""

import json
import re
from dataclasses import replace
from typing import Any

import httpx

from synapse_cli.cluster import Answer, Cluster
from synapse_cli.table import Row
from synapse_common.engines import FETCHER, FETCHER_PORT
from synapse_ollama.board import FAILED, MAKING, PULLING, THERE, WAITS, Standing
from synapse_ollama.plan import GIB

STATUS = (FETCHER, FETCHER_PORT, "/status")
LINES = 5
PROGRESS = re.compile(r"\d of [\d,]+ MiB")
AWAY = "missing, and nobody brings it: the model fetcher does not answer"
UNKNOWN = "missing, and nobody brings it: run make deploy-ollama"


def standings(answer: Answer) -> dict[str, Standing] | None:
    """How each model stands, in the order in which they come; None: nobody answers."""
    if answer.status != httpx.codes.OK:
        return None
    return {one["name"]: Standing(**one) for one in json.loads(answer.body)["models"]}


def told(name: str, there: str, standings: dict[str, Standing] | None) -> tuple[str, bool]:
    """What is to be said of a model, and whether all is well; `there`: loaded, on disk or "".

    One that is there is served whatever becomes of its change.
    """
    if standings is None or name not in standings:
        return (there, True) if there else (AWAY if standings is None else UNKNOWN, False)
    one = standings[name]
    if one.state == THERE:
        return there or "missing", bool(there)
    if one.state == FAILED:
        return f"{there + ', not changed' if there else 'missing'}: {one.reason}", False
    coming = _coming(one, standings)
    return f"{there}; its change: {coming}" if there else coming, True


def _coming(one: Standing, standings: dict[str, Standing]) -> str:
    if one.state == PULLING:
        return f"downloading, {one.share}"
    if one.state == MAKING:
        return "being made"
    following = next(other.name for other in standings.values() if other.state == WAITS)
    size = f", {one.total_bytes / GIB:.1f} GiB" if one.total_bytes else ""
    return ("to be fetched next" if one.name == following else "waits for its download") + size


def of_sound(row: Row, engine: str, cluster: Cluster) -> Row:
    """The same row, or what the engine's pod fetches before it starts where a model is missing."""
    if row.healthy:
        return row
    for pod in cluster.pods(f"app.kubernetes.io/name={engine}"):
        for container in running_first(pod):
            words = cluster.last_words(pod.metadata.name, container, LINES)
            found = [line for line in words.splitlines() if PROGRESS.search(line)]
            told = f"downloading, {found[-1]}" if found else "its downloads begin"
            return replace(row, state=told, healthy=True)
    return row


def running_first(pod: Any) -> list[str]:
    """The containers that run now before the others of a pod."""
    statuses = pod.status.init_container_statuses or ()
    return [one.name for one in statuses if one.state.running]
