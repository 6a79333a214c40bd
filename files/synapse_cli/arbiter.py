"""The way to the arbiter's pod, and the orders an operator gives it.

It leads through the API server's port-forward: nothing but the gateway is reachable from outside,
and the API server's proxy for Services would keep the token in `Authorization` for itself, and ask
by the API server's own name, which the arbiter does not know as one of its own.
"""

import base64
import http.client
import json
import socket
import time
from typing import Any

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Answer, Cluster, ClusterError
from synapse_common.engines import ARBITER_OPERATOR_PORT
from synapse_common.secrets import ADMIN_ENTRY, ADMIN_SECRET

POD_LABEL = "app.kubernetes.io/name=synapse-arbiter"
ORDER_TIMEOUT_S = 30.0
LONGEST_HOURS = 168  # the arbiter lends the GPU for a week at most


def pod_name(cluster: Cluster) -> str:
    """The arbiter's pod that runs now; raise ClusterError when there is none."""
    pods = cluster.ask(
        cluster.core.list_namespaced_pod,
        cluster.namespace,
        label_selector=POD_LABEL,
        _request_timeout=REQUEST_TIMEOUT_S,
    ).items
    if not pods:
        raise ClusterError(
            "There is no arbiter in the cluster: either no model of the catalogue runs on a "
            "GPU, or make deploy-arbiter is still to come."
        )
    for pod in pods:
        if pod.status.phase == "Running" and pod.metadata.deletion_timestamp is None:
            return str(pod.metadata.name)
    raise ClusterError("The arbiter does not run just now; make test-health shows its state.")


def dial(cluster: Cluster) -> socket.socket:
    """Connect to the operator's port of the arbiter's pod; raise ClusterError if that fails."""
    return cluster.dial(pod_name(cluster), ARBITER_OPERATOR_PORT)


def read_token(cluster: Cluster) -> str:
    """The token that orders need; raise ClusterError where there is none yet."""
    found = cluster.find(
        cluster.core.read_namespaced_secret,
        ADMIN_SECRET,
        cluster.namespace,
        _request_timeout=REQUEST_TIMEOUT_S,
    )
    if found is None or ADMIN_ENTRY not in (found.data or {}):
        raise ClusterError("The cluster has no token for the arbiter. Run make deploy-arbiter.")
    return base64.b64decode(found.data[ADMIN_ENTRY]).decode()


def release(cluster: Cluster, hours: float) -> str:
    """Release the GPU for so long; return what the arbiter says."""
    if not 0 < hours <= LONGEST_HOURS:
        raise ClusterError(f"HOURS must be above 0 and at most {LONGEST_HOURS}, not {hours:g}.")
    return order(cluster, f"/admin/release?seconds={hours * 3600:.0f}")


def reclaim(cluster: Cluster) -> str:
    """Take the GPU back; return what the arbiter says."""
    return order(cluster, "/admin/reclaim")


def order(cluster: Cluster, path: str) -> str:
    """Give one order; raise ClusterError with the arbiter's own words when it refuses."""
    headers = {"Authorization": f"Bearer {read_token(cluster)}"}
    try:
        answer = _ask(cluster, "POST", path, headers)
        said: dict[str, Any] = json.loads(answer.body)
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise ClusterError(f"The arbiter did not answer ({fault!r}). Try again.") from fault
    if answer.status != http.client.OK:
        raise ClusterError(f"The arbiter refused: {said['error']['message']}")
    return str(said["message"])


def status(cluster: Cluster) -> Answer:
    """Return what the arbiter says of the GPU; status 0 where it does not answer."""
    started = time.perf_counter()
    try:
        return _ask(cluster, "GET", "/status", {})
    except (ClusterError, OSError, http.client.HTTPException) as fault:
        return Answer(0, str(fault).encode(), time.perf_counter() - started)


def _ask(cluster: Cluster, method: str, path: str, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection("arbiter")
    started = time.perf_counter()
    connection.sock = dial(cluster)
    connection.sock.settimeout(ORDER_TIMEOUT_S)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), time.perf_counter() - started)
    finally:
        connection.close()
