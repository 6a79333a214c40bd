"""The fetcher as its pod runs it, with a real Ollama: in the background, ended and begun again."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import until
from http_process import serving
from ollama_registry import Registry
from ollama_registry.registry import gguf

Entry = dict[str, Any]
LIMIT_S = 60


class Pod:
    """What the Deployment makes: a configuration, a volume, an address."""

    def __init__(self, folder: Path, ollama_url: str, registry: Registry) -> None:
        self._folder, self._ollama, self._registry = folder, ollama_url, registry
        (folder / "files").mkdir(exist_ok=True)
        port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{port}"
        self._command = [
            sys.executable, "-m", "synapse_ollama", "--config", str(folder / "models.json"),
            "--ollama", ollama_url, "--data", str(folder / "data"),
            "--files", str(folder / "files"), "--port", str(port),
        ]  # fmt: skip

    @contextlib.contextmanager
    def running(self, *models: Entry) -> Iterator["subprocess.Popen[bytes]"]:
        told = {
            "models": models, "prune": False, "reserve_gib": 0, "stall_s": 60,
            "insecure_registries": [self._registry.name],
        }  # fmt: skip
        (self._folder / "models.json").write_text(json.dumps(told))
        log = self._folder / "fetcher.log"
        with serving(self._command, self.url, log, start_s=LIMIT_S) as process:
            yield process

    def states(self) -> dict[str, str]:
        models = httpx.get(f"{self.url}/status").json()["models"]
        return {one["name"]: one["state"] for one in models}

    def becomes(self, **states: str) -> None:
        until(lambda: states.items() <= self.states().items(), LIMIT_S, lambda: str(self.states()))

    def served(self) -> set[str]:
        listed = httpx.get(f"{self._ollama}/api/tags").json()["models"]
        return {str(one["name"]).removesuffix(":latest") for one in listed}


@pytest.fixture
def pod(tmp_path: Path, url: str, registry: Registry) -> Pod:
    """A pod that does not run yet."""
    return Pod(tmp_path, url, registry)


def test_the_small_one_comes_first_and_a_lost_one_keeps_nobody(
    pod: Pod, registry: Registry, entry: Callable[..., Entry]
) -> None:
    large = entry("large", registry.source("slow"), disk_gib=3)
    lost = entry("lost", registry.source("gone"), disk_gib=1)
    small = entry("small", registry.source("ok"), disk_gib=0.5)
    with pod.running(large, lost, small):
        pod.becomes(small="there", lost="failed", large="pulling")
        assert "small" in pod.served()
        pod.becomes(large="there")
    assert {"small", "large"} <= pod.served()


def test_a_fetcher_that_is_ended_in_a_download_goes_on_when_it_runs_again(
    pod: Pod, registry: Registry, entry: Callable[..., Entry]
) -> None:
    slow = entry("slow", registry.source("slow"), disk_gib=1)
    with pod.running(slow) as process:
        pod.becomes(slow="pulling")
        process.kill()
    assert "slow" not in pod.served()
    with pod.running(slow):
        pod.becomes(slow="there")


def test_what_failed_is_tried_again_at_once_when_somebody_asks(
    pod: Pod, tmp_path: Path, entry: Callable[..., Entry]
) -> None:
    with pod.running(entry("own", "file:own.gguf")):
        pod.becomes(own="failed")
        (tmp_path / "files/own.gguf").write_bytes(gguf("own"))
        httpx.post(f"{pod.url}/look", timeout=LIMIT_S)
        pod.becomes(own="there")
