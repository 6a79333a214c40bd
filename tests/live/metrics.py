"""What the services tell Prometheus, read through the API server."""

from prometheus_client.parser import text_string_to_metric_families

from synapse_cli.cluster import Cluster
from synapse_common.engines import METRICS_PORT, PIPER, VLLM

PLACES = {
    "gateway": ("gateway-metrics", METRICS_PORT),
    "arbiter": (VLLM.service, METRICS_PORT),
    "piper": (PIPER.service, METRICS_PORT),
}


def metric(cluster: Cluster, place: str, name: str, **labels: str) -> float:
    """Return a series of one of our programs, added up over its other labels."""
    service, port = PLACES[place]
    answer = cluster.get(service, port, "metrics")
    assert answer.status == 200, answer
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
