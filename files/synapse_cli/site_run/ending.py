"""The end of `make site`: one real request, the address, what to type next, what still comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from synapse_cli import address, fetching, gateway, health
from synapse_cli.cluster import Cluster, ClusterError
from synapse_common.engines import OLLAMA
from synapse_common.protocol import MODEL
from synapse_ollama.board import FAILED, THERE

QUESTION = "What is the capital of France? Answer in one short sentence."
LIMIT_S = 300.0
"""A model that is loaded from a slow disk takes its time."""
TOKENS = 40


class Ending:
    """Asks the gateway that was just deployed."""

    def __init__(self, connect: Callable[[], Cluster]) -> None:
        """Take the way to the cluster; it is gone when there is something to ask."""
        self._connect = connect

    def answer(self) -> str:
        """Return the answer to one question; raise ClusterError where there is none."""
        cluster = self._connect()
        config = health.gateway_config(cluster, cluster.workloads())
        name = name_to_ask(config, fetching.standings(cluster.get(*fetching.STATUS)) or {})
        body = {
            "model": name,
            "messages": [{"role": "user", "content": QUESTION}],
            "max_tokens": TOKENS,
            "temperature": 0,
            "reasoning_effort": "none",  # who thinks first would say nothing in so few words
        }
        began = time.monotonic()
        with gateway.opened(cluster) as client:
            try:
                found = client.post("/v1/chat/completions", json=body, timeout=LIMIT_S)
            except httpx.HTTPError as fault:
                raise ClusterError(f"The gateway did not answer: {fault}") from fault
        if not found.is_success:
            raise ClusterError(f"The gateway answered {found.status_code}: {_reason(found)}")
        text = str(found.json()["choices"][0]["message"]["content"] or "")
        served = found.headers.get(MODEL, name)
        return f'{served} answered after {time.monotonic() - began:.1f} s: "{one_line(text)}"'

    def told(self) -> list[str]:
        """Return the address, the next commands and what is still being fetched."""
        try:
            cluster = self._connect()
            config = health.gateway_config(cluster, cluster.workloads())
            lines = [f"The address:   {address.outside(cluster)}/v1"]
            if apps := config["apps"]:
                lines += [
                    f"A key:         make app-key APP={apps[0]['name']}",
                    f"Next:          make app-env APP={apps[0]['name']}",
                ]
            return [*lines, *coming(fetching.standings(cluster.get(*fetching.STATUS)) or {})]
        except ClusterError as fault:
            return [f"The address is not known: {fault}"]


def name_to_ask(config: Mapping[str, Any], standings: Mapping[str, Any]) -> str:
    """Return a model that chats and is there, or the first that chats where nobody knows."""
    chatting = [model for model in config["models"] if model["kind"] == "chat"]
    if not chatting:
        raise ClusterError("No model of this site chats; make test-health DEEP=1 asks the others.")
    there = {name for name, one in standings.items() if one.state == THERE}
    ready = [one for one in chatting if one["engine"] == OLLAMA.name and one["name"] in there]
    starters = [one for one in ready if standings[one["name"]].is_starter]
    return str([*starters, *ready, *chatting][0]["name"])


def one_line(text: str) -> str:
    """Return a text as one line."""
    return " ".join(text.split())


def coming(standings: Mapping[str, Any]) -> list[str]:
    """Return what is still to be fetched, and what failed."""
    left = [one for one in standings.values() if one.state not in (THERE, FAILED)]
    failed = [one for one in standings.values() if one.state == FAILED]
    lines = [f"Failed so far: {one.name}: {one.reason}" for one in failed]
    if left:
        names = ", ".join(one.name for one in left)
        lines.append(f"Still to come: {names}; make test-health shows how far they are")
    return lines


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return answer.text[:300]
