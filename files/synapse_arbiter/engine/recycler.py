"""Replace an engine's process: delete its pod, run a command, or refuse clearly."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Protocol

import aiohttp

from synapse_arbiter.config import Recycle
from synapse_common.engines import RECYCLE_GRACE_S

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API = "https://kubernetes.default.svc"
CALL_S = 15.0
DELETED = (200, 202, 404)  # done, under way, or there is no such pod


class RecycleRefusedError(Exception):
    """An engine could not be replaced, and why."""


class Recycler(Protocol):
    """Whoever can replace an engine's process."""

    async def recycle(self, model: str) -> None:
        """Make sure that the old process goes away, or raise RecycleRefusedError."""


class NoRecycler:
    """Nobody can: the operator restarts the engine by hand."""

    async def recycle(self, model: str) -> None:
        """Refuse, saying what to do."""
        raise RecycleRefusedError(
            f"{model} must be restarted by hand: the configuration names no way to recycle."
        )


class CommandRecycler:
    """A program of the operator; `{model}` in its arguments becomes the model's name."""

    def __init__(self, command: tuple[str, ...], limit_s: float) -> None:
        """Run this program."""
        self._command = command
        self._limit_s = limit_s

    async def recycle(self, model: str) -> None:
        """Run the program and wait for its end."""
        command = [part.replace("{model}", model) for part in self._command]
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            raise RecycleRefusedError(f"{command[0]} cannot be run: {error.strerror}") from error
        try:
            status = await asyncio.wait_for(process.wait(), self._limit_s)
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise RecycleRefusedError(
                f"{command[0]} took longer than {self._limit_s:g} s"
            ) from error
        if status != 0:
            raise RecycleRefusedError(f"{command[0]} ended with status {status}")


class KubernetesRecycler:
    """Delete the engine's one pod by its name; its StatefulSet makes it anew under that name."""

    def __init__(
        self, namespace: str, pod: str, http: aiohttp.ClientSession, account: Path = ACCOUNT
    ) -> None:
        """Delete pods of this namespace; `{model}` in the pod's name becomes the model's."""
        self._http = http
        self._account = account
        self._pod = pod
        self._url = f"{API}/api/v1/namespaces/{namespace}/pods"

    async def recycle(self, model: str) -> None:
        """Delete the model's pod; one that is already gone is as good."""
        try:
            token = (self._account / "token").read_text().strip()
            context = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
        except OSError as error:
            raise RecycleRefusedError(f"no service account to delete pods with: {error}") from error
        # The cluster's own certificates may lack extensions that Python insists on from 3.13 on;
        # chain and host name are verified all the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        pod = self._pod.replace("{model}", model)
        try:
            async with self._http.delete(
                f"{self._url}/{pod}",
                params={"gracePeriodSeconds": str(RECYCLE_GRACE_S)},
                headers={"authorization": f"Bearer {token}"},
                ssl=context,
                timeout=aiohttp.ClientTimeout(total=CALL_S),
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RecycleRefusedError(f"the Kubernetes API is away: {error}") from error
        if status not in DELETED:
            raise RecycleRefusedError(
                f"the Kubernetes API answered {status} to deleting the pod {pod}"
            )


def open_recycler(recycle: Recycle, limit_s: float, http: aiohttp.ClientSession) -> Recycler:
    """Open the way the configuration names."""
    if recycle.how == "command":
        return CommandRecycler(recycle.command, limit_s)
    if recycle.how == "kubernetes":
        return KubernetesRecycler(recycle.namespace, recycle.pod, http)
    return NoRecycler()
