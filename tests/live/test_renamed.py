"""A cluster whose gateway was deployed as litellm: its keys live on, its old objects go.

LiteLLM's own objects, which are called so now, stay.
"""

from collections.abc import Iterator

import httpx
import pytest

from synapse_cli.cluster import Cluster
from synapse_common.secrets import APPS_SECRET, LITELLM_SECRET, MASTER_SECRET

from .conftest import NAMESPACE, eventually
from .deploying import play, recap

LABELS = {"synapse/owner": "litellm", "app.kubernetes.io/component": "gateway"}
OLD_SERVICE = "litellm-metrics"


def values(cluster: Cluster, name: str) -> dict[str, str] | None:
    """A Secret's entries as they are stored; None where there is no such Secret."""
    found = cluster.find(cluster.core.read_namespaced_secret, name, NAMESPACE)
    return None if found is None else dict(found.data or {})


def old(name: str) -> str:
    """The name that an object of the gateway had."""
    return name.replace("gateway", "litellm", 1)


@pytest.fixture
def renamed(cluster: Cluster, http: httpx.Client) -> Iterator[dict[str, dict[str, str]]]:
    """The gateway's keys under their old names alone, and an object that was called litellm.

    Whoever asks with them has read them before; whatever fails, they are there again afterwards.
    """
    kept = {name: values(cluster, name) or {} for name in (MASTER_SECRET, APPS_SECRET)}
    assert all(kept.values()), http.base_url
    for name, data in kept.items():
        store(cluster, old(name), data)
        cluster.core.delete_namespaced_secret(name, NAMESPACE)
    service = {
        "metadata": {"name": OLD_SERVICE, "labels": LABELS},
        "spec": {"ports": [{"port": 8000}]},
    }
    cluster.core.create_namespaced_service(NAMESPACE, service)
    yield kept
    for name, data in kept.items():
        if values(cluster, name) is None:
            store(cluster, name, data)
        cluster.find(cluster.core.delete_namespaced_secret, old(name), NAMESPACE)
    cluster.find(cluster.core.delete_namespaced_service, OLD_SERVICE, NAMESPACE)


def store(cluster: Cluster, name: str, data: dict[str, str]) -> None:
    """Make a Secret."""
    secret = {"metadata": {"name": name}, "data": data}
    cluster.core.create_namespaced_secret(NAMESPACE, secret)


@pytest.mark.timeout(700)
@pytest.mark.parametrize("tag", ["litellm", "gateway"])
def test_keys_survive_the_new_name_and_the_old_objects_go(
    cluster: Cluster, renamed: dict[str, dict[str, str]], http: httpx.Client, tag: str
) -> None:
    """Whichever is played first: LiteLLM's pod needs the keys of providers by their new name."""
    litellms = values(cluster, LITELLM_SECRET)
    would = play("--tags", tag, "--check")
    assert recap(would)["failed"] == 0, would.stdout
    assert recap(would)["changed"] > 0
    assert all(values(cluster, name) is None for name in renamed), "a check changes nothing"

    run = play("--tags", tag)
    assert recap(run)["failed"] == 0, run.stdout
    for name, data in renamed.items():
        assert values(cluster, name) == data
        assert values(cluster, old(name)) is None
        assert not any(value in run.stdout for value in data.values())
    assert cluster.find(cluster.core.read_namespaced_service, OLD_SERVICE, NAMESPACE) is None
    assert cluster.find(cluster.core.read_namespaced_service, "litellm", NAMESPACE)
    assert values(cluster, LITELLM_SECRET) == litellms
    assert recap(play("--tags", tag))["changed"] == 0
    eventually(lambda: http.get("/v1/models").status_code == 200, 60, "the old key is good")
