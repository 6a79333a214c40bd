"""The model fetcher in the cluster, asked through the Kubernetes API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synapse_common.engines import FETCHER, FETCHER_PORT
from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_ollama.board import FAILED, THERE, Standing
from synapse_ollama.plan import State

PATIENCE_S = 60.0
"""A pod that was just started is not at once known to who leads there."""
PAUSE_S = 1.0
NOBODY = 503


@dataclass(frozen=True)
class Status:
    """What the fetcher shows: each model, in the order in which they come."""

    models: tuple[Standing, ...] = ()
    is_busy: bool = False
    looks: int = 0
    why: str = ""
    """What keeps it from asking Ollama."""
    rate_bytes_s: float | None = None

    @classmethod
    def read(cls, shown: dict[str, Any]) -> Status:
        """Read its answer."""
        models = tuple(Standing(**one) for one in shown["models"])
        known = shown["is_busy"], shown["looks"], shown["why"], shown["rate_bytes_s"]
        return cls(models, *known)

    @property
    def failed(self) -> list[Standing]:
        """Return what could not be fetched."""
        return [one for one in self.models if one.state == FAILED]

    @property
    def first(self) -> list[Standing]:
        """Return what is waited for and not there: the starter, and what needs no download."""
        wanted = (one for one in self.models if one.is_starter or not one.is_download)
        return [one for one in wanted if one.state not in (THERE, FAILED)]

    @property
    def later(self) -> list[Standing]:
        """Return what comes in the background."""
        return [one for one in self.models if one.state not in (THERE, FAILED)]


class Fetcher:
    """The fetcher of one namespace."""

    def __init__(
        self,
        api: KubeApi,
        namespace: str,
        patience_s: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Find it; nothing is sent yet. `patience_s`: how long a pod that is away is waited for."""
        self._proxy = f"/api/v1/namespaces/{namespace}/services/{FETCHER}:{FETCHER_PORT}/proxy"
        self._api = api
        self._patience_s = patience_s
        self._sleep = sleep

    def status(self) -> Status:
        """Ask how far it is; raise ApiError where nobody answers."""
        return Status.read(self._call("GET", "/status"))

    def state(self) -> State:
        """Ask what is on the volume just now; raise ApiError where nobody answers."""
        return State.read(self._call("GET", "/state"))

    def look(self) -> Status:
        """Have it look again, unless it is busy, and try again what failed."""
        return Status.read(self._call("POST", "/look"))

    def _call(self, method: str, what: str) -> dict[str, Any]:
        left_s = self._patience_s
        while True:
            try:
                return self._api.call(method, self._proxy + what)
            except ApiError as error:
                if error.status != NOBODY or left_s <= 0:
                    raise
            self._sleep(PAUSE_S)
            left_s -= PAUSE_S
