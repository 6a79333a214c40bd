"""What the live tests share: the running testbed's address, its cluster, its applications' keys."""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx
import openai
import pytest

from synapse_cli.cluster import Cluster
from synapse_cli.keys import read_app_key, read_master_key

from .gpu import Gpu, ask, served
from .recordings import spoken

NAMESPACE = "llm-infra"
TESTBED = os.environ.get("SYNAPSE_TESTBED") or "forge"
APPS = ("jarvis-cortex", "agents", "home-panel", "diary")
SETTLE_LIMIT_S = 90.0
INVENTORY = "inventory/common,molecule/testbed/inventory"
Found = TypeVar("Found")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a running Synapse."""
    for item in items:
        item.add_marker(pytest.mark.live)


def eventually(look: Callable[[], Found], limit_s: float, what: str) -> Found:
    """Look again until the answer is truthy; fail with a sentence after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {limit_s:.0f} s; last seen {found!r}")
        time.sleep(0.1)


def gateway_pods(cluster: Cluster) -> list[Any]:
    """The gateway's pods that are not on their way out."""
    return cluster.pods("app.kubernetes.io/name=gateway")


def settle(gpu: Gpu) -> None:
    """Wait until every engine is up and nothing moves."""
    eventually(gpu.settled, SETTLE_LIMIT_S, "all engines up and nothing moving")


def bring_in(http: httpx.Client, name: str, model: str) -> None:
    """Have the model that a name stands for take the GPU."""
    eventually(lambda: served(ask(http, name)) == model, SETTLE_LIMIT_S, f"an answer of {model}")


def log_lines(cluster: Cluster) -> list[dict[str, Any]]:
    """The gateway's latest lines about requests."""
    lines = cluster.log_lines("gateway", tail=500)
    return [dict(json.loads(line)) for line in lines if line.startswith("{") and '"kind"' in line]


def log_line(cluster: Cluster, request_id: str) -> dict[str, Any]:
    """The gateway's one line about a request."""

    def look() -> list[dict[str, Any]]:
        return [line for line in log_lines(cluster) if line["request_id"] == request_id]

    lines = eventually(look, limit_s=10, what=f"a log line for request {request_id}")
    assert len(lines) == 1
    return lines[0]


@pytest.fixture(scope="session")
def base_url() -> str:
    """Where the gateway answers."""
    return f"http://127.0.0.1:{os.environ.get('SYNAPSE_PORT', '8000')}"


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The testbed's cluster."""
    return Cluster(NAMESPACE)


@pytest.fixture
def keys(cluster: Cluster) -> dict[str, str]:
    """The key of each application of the demo catalogue, read anew: a test may replace one."""
    return {app: read_app_key(cluster, app) for app in APPS}


@pytest.fixture
def http(base_url: str, keys: dict[str, str]) -> Iterator[httpx.Client]:
    """Jarvis Cortex as a plain HTTP client."""
    headers = {"Authorization": f"Bearer {keys['jarvis-cortex']}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def operator(base_url: str, cluster: Cluster) -> Iterator[httpx.Client]:
    """The operator, who may use every model."""
    headers = {"Authorization": f"Bearer {read_master_key(cluster)}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def jarvis(base_url: str, keys: dict[str, str]) -> openai.OpenAI:
    """Jarvis Cortex as it really is: the openai package, without retries so that faults show."""
    return openai.OpenAI(
        base_url=f"{base_url}/v1", api_key=keys["jarvis-cortex"], max_retries=0, timeout=60
    )


@pytest.fixture(scope="session")
def wav(base_url: str, cluster: Cluster) -> bytes:
    """One spoken sentence."""
    key = read_app_key(cluster, "jarvis-cortex")
    return spoken(openai.OpenAI(base_url=f"{base_url}/v1", api_key=key, max_retries=0))


@pytest.fixture
def agents(base_url: str, keys: dict[str, str]) -> openai.OpenAI:
    """The other application, which may use less."""
    return openai.OpenAI(
        base_url=f"{base_url}/v1", api_key=keys["agents"], max_retries=0, timeout=60
    )


@pytest.fixture
def panel(base_url: str, keys: dict[str, str]) -> Iterator[httpx.Client]:
    """The home panel, which hardly waits for the GPU."""
    headers = {"Authorization": f"Bearer {keys['home-panel']}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def gpu(cluster: Cluster) -> Gpu:
    """The simulated GPU, with every engine up and nothing moving."""
    gpu = Gpu(cluster, TESTBED)
    settle(gpu)
    return gpu
