"""What the live tests share: the running testbed's address, its cluster, its applications' keys."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx
import openai
import pytest

from synapse_operator.cluster import Cluster
from synapse_operator.keys import read_app_key, read_master_key

NAMESPACE = "llm-infra"
TESTBED = os.environ.get("SYNAPSE_TESTBED") or "forge"
INVENTORY = "molecule/testbed/inventory/hosts.yml"
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
    pods = cluster.core.list_namespaced_pod(
        cluster.namespace, label_selector="app.kubernetes.io/name=litellm"
    ).items
    return [pod for pod in pods if not pod.metadata.deletion_timestamp]


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
    return {app: read_app_key(cluster, app) for app in ("jarvis-cortex", "agents")}


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


@pytest.fixture
def agents(base_url: str, keys: dict[str, str]) -> openai.OpenAI:
    """The other application, which may use less."""
    return openai.OpenAI(
        base_url=f"{base_url}/v1", api_key=keys["agents"], max_retries=0, timeout=60
    )
