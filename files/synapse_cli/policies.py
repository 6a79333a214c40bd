"""Does the cluster enforce NetworkPolicies? Only a connection that one forbids can tell."""

from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

from synapse_cli.cluster import Cluster, ClusterError

GATEWAY_LABEL = "app.kubernetes.io/name=gateway"
PROBE_TIMEOUT_S = 30.0
OPEN, CLOSED = "open", "closed"
# The gateway has no business with the API server, and its policy says so. Both variables are in
# every pod, and the cluster's own Python is the only program that is sure to be there.
PROBE = f"""
import os, socket
where = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
try:
    socket.create_connection(where, timeout=5).close()
except OSError:
    print("{CLOSED}")
else:
    print("{OPEN}")
"""


def enforced(cluster: Cluster) -> bool | None:
    """Tell whether a forbidden connection of the gateway's pod fails; None where no pod runs.

    Raise ClusterError when the pod cannot be asked.
    """
    running = cluster.running_pods(GATEWAY_LABEL)
    if not running:
        return None
    said = _run(cluster, str(running[0].metadata.name)).strip()
    if said not in (OPEN, CLOSED):
        raise ClusterError(f"The gateway's pod could not try a connection: {said or 'no answer'}")
    return said == CLOSED


def _run(cluster: Cluster, pod: str) -> str:
    try:
        return str(
            stream(
                cluster.own_core().connect_get_namespaced_pod_exec,
                pod,
                cluster.namespace,
                container="gateway",
                command=["python", "-c", PROBE],
                stdout=True,
                stderr=True,
                _request_timeout=PROBE_TIMEOUT_S,
            )
        )
    except (ApiException, OSError) as fault:
        raise ClusterError(f"The cluster ran nothing in the pod {pod}: {fault}") from fault
