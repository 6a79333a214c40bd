"""Bring models onto Speaches' volume, each once, through the Kubernetes API's proxy alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from kube_api import ApiError, KubeApi

SERVICE = "services/speaches:8000/proxy"


@dataclass
class Outcome:
    """What was done, and a sentence about each model that could not be had."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Downloads:
    """The models of one namespace's Speaches."""

    def __init__(
        self, api: KubeApi, namespace: str, limit_s: float, say: Callable[[str], None]
    ) -> None:
        """Ask there; nothing is sent yet."""
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/{SERVICE}"
        self._limit_s = limit_s
        self._say = say

    def installed(self) -> set[str]:
        """Return what is on the volume; raise ApiError where Speaches does not answer."""
        listed = self._api.call("GET", f"{self._path}/v1/models")["data"]
        return {str(model["id"]) for model in listed}

    def missing(self, models: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the sources that are still to come, each once, in the catalogue's order."""
        there = self.installed()
        wanted = dict.fromkeys(str(model["source"]) for model in models)
        return [source for source in wanted if source not in there]

    def fetch(self, sources: Iterable[str]) -> Outcome:
        """Download one after another; one that fails leaves the others."""
        outcome = Outcome()
        for source in sources:
            self._say(f"downloading {source} ...")
            began_s = time.monotonic()
            try:
                path = f"{self._path}/v1/models/{quote(source)}"
                self._api.open("POST", path, limit_s=self._limit_s).close()
            except ApiError as error:
                outcome.failed.append(f"{source} could not be downloaded: {error}")
                continue
            outcome.done.append(f"downloaded {source} in {time.monotonic() - began_s:.0f} s")
            self._say(outcome.done[-1])
        return outcome
