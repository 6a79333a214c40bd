"""The operator's own way to the gateway: through the API server, to its pod.

No address is asked for, so nobody else can answer at it and read the operator's key, and the key is
encrypted on its way; it works wherever kubectl does.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from synapse_cli import keys
from synapse_cli.cluster import Cluster, ClusterError
from synapse_cli.port_forward import Forward
from synapse_common.engines import GATEWAY_PODS, GATEWAY_PORT

SELECTOR = ",".join(f"{label}={value}" for label, value in GATEWAY_PODS.items())
POLL_S = 0.05


@contextmanager
def opened(cluster: Cluster) -> Iterator[httpx.Client]:
    """A client of the gateway with the operator's key; a 503 says why where none is reached."""
    headers = {"Authorization": f"Bearer {keys.read_master_key(cluster)}"}
    with Forward(0, lambda: dial(cluster)) as forward:
        threading.Thread(target=forward.serve_forever, args=(POLL_S,), daemon=True).start()
        try:
            # A proxy of the environment has no part in it.
            with httpx.Client(base_url=forward.url, headers=headers, trust_env=False) as client:
                yield client
        finally:
            forward.shutdown()


def dial(cluster: Cluster) -> socket.socket:
    """Connect to the gateway's pod; raise ClusterError if that fails."""
    return cluster.dial(pod_name(cluster), GATEWAY_PORT)


def pod_name(cluster: Cluster) -> str:
    """The gateway's pod that runs now, one that is ready first."""
    pods = sorted(cluster.running_pods(SELECTOR), key=_is_ready, reverse=True)
    if not pods:
        raise ClusterError("No pod of the gateway runs just now.")
    return str(pods[0].metadata.name)


def _is_ready(pod: Any) -> bool:
    conditions = pod.status.conditions or ()
    return any(one.type == "Ready" and one.status == "True" for one in conditions)
