"""Finding the arbiter's pod and its token, and what is said where there is none."""

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from synapse_cli import arbiter
from synapse_cli.cluster import Cluster, ClusterError


def pod(name: str, phase: str = "Running", deleted: object = None) -> SimpleNamespace:
    """A pod as the API shows it."""
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name, deletion_timestamp=deleted),
        status=SimpleNamespace(phase=phase),
    )


class Api:
    """The calls of the Kubernetes API that are needed here."""

    def __init__(self, pods: list[SimpleNamespace], token: str | None) -> None:
        """Know these."""
        self._pods, self._token = pods, token

    def list_namespaced_pod(self, namespace: str, **_: Any) -> SimpleNamespace:
        """All pods."""
        return SimpleNamespace(items=self._pods)

    def read_namespaced_secret(self, name: str, namespace: str, **_: Any) -> SimpleNamespace:
        """The token's Secret, or 404."""
        if self._token is None or name != "arbiter-admin-token":
            raise ApiException(status=404, reason="Not Found")
        return SimpleNamespace(data={"token": base64.b64encode(self._token.encode()).decode()})


def cluster(*pods: SimpleNamespace, token: str | None = None) -> Cluster:
    """A cluster without a network."""
    made = Cluster.__new__(Cluster)
    made.namespace = "llm-infra"
    made.core = Api(list(pods), token)
    return made


def test_the_pod_that_runs_is_found_beside_one_that_goes() -> None:
    there = cluster(pod("old", deleted="now"), pod("new-0", "Pending"), pod("new-1"))
    assert arbiter.pod_name(there) == "new-1"


def test_no_arbiter_is_a_sentence() -> None:
    with pytest.raises(ClusterError, match="There is no arbiter in the cluster"):
        arbiter.pod_name(cluster())


def test_an_arbiter_that_does_not_run_is_a_sentence() -> None:
    with pytest.raises(ClusterError, match="does not run just now"):
        arbiter.pod_name(cluster(pod("a", "Pending"), pod("b", deleted="now")))


def test_the_token_is_read_and_its_absence_told() -> None:
    assert arbiter.read_token(cluster(token="sesame")) == "sesame"
    with pytest.raises(ClusterError, match="make deploy-arbiter"):
        arbiter.read_token(cluster())


@pytest.mark.parametrize("hours", [0, -1, 169, float("nan")])
def test_a_release_of_no_sensible_length_is_refused_at_once(hours: float) -> None:
    with pytest.raises(ClusterError, match="HOURS must be above 0 and at most 168"):
        arbiter.release(cluster(), hours)
