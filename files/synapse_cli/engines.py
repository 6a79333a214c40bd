"""The engines of the GPU as they run: which version of vLLM each of them is."""

import http.client
import json

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Cluster, ClusterError
from synapse_common.engines import VLLM

POD_LABEL = "app.kubernetes.io/name=vllm"


def versions(cluster: Cluster) -> dict[str, str]:
    """Return the version of the engine in each pod that runs; empty where it does not answer."""
    pods = [str(pod.metadata.name) for pod in cluster.running_pods(POD_LABEL)]
    return {pod: _version(cluster, pod) for pod in sorted(pods)}


def _version(cluster: Cluster, pod: str) -> str:
    """Ask one engine, through the API server: nobody but the arbiter reaches its port."""
    connection = http.client.HTTPConnection(pod)
    try:
        connection.sock = cluster.dial(pod, VLLM.port)
        connection.sock.settimeout(REQUEST_TIMEOUT_S)
        connection.request("GET", "/version")
        return str(json.loads(connection.getresponse().read())["version"])
    except (ClusterError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return ""  # it downloads, waits or starts
    finally:
        connection.close()
