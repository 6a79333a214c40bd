"""One application's key is replaced on the running cluster; nobody else notices."""

import httpx
import pytest

from synapse_cli.cluster import Cluster
from synapse_cli.keys import read_app_key

from .conftest import eventually, gateway_pods
from .test_demo import run

# The kubelet writes a changed Secret into a pod when it next looks at the pod: up to 90 s later.
ROTATION_LIMIT_S = 150
ROTATED, OTHER = "agents", "jarvis-cortex"


@pytest.mark.timeout(ROTATION_LIMIT_S + 60)
def test_rotated_key_replaces_the_old_one_and_disturbs_nobody(
    base_url: str, cluster: Cluster, keys: dict[str, str]
) -> None:
    old = keys[ROTATED]
    pods = lives(cluster)
    shown = run("-m", "synapse_cli", "rotate-app-key", ROTATED)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    new = read_app_key(cluster, ROTATED)
    assert new != old
    assert new not in shown.stdout

    with httpx.Client(base_url=base_url, timeout=60) as client:

        def status_of(key: str) -> int:
            headers = {"Authorization": f"Bearer {key}"}
            return client.get("/v1/models", headers=headers).status_code

        def replaced() -> bool:
            assert status_of(keys[OTHER]) == 200
            return (status_of(old), status_of(new)) == (401, 200)

        eventually(replaced, ROTATION_LIMIT_S, f"only the new key of {ROTATED} is good")
        assert status_of(keys[OTHER]) == 200
    assert lives(cluster) == pods


def lives(cluster: Cluster) -> set[tuple[str, int]]:
    """The gateway's pods, each with how often it was started anew."""
    return {
        (pod.metadata.uid, container.restart_count)
        for pod in gateway_pods(cluster)
        for container in pod.status.container_statuses
    }
