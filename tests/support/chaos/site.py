"""What is played on: a running Synapse, its applications and its GPU models, read from itself."""

import json
from dataclasses import dataclass
from typing import Any

from chaos.asking import App
from synapse_cli.cluster import Cluster
from synapse_cli.health import gateway_config
from synapse_cli.keys import read_app_key, read_master_key
from synapse_common.engines import ARBITER_OPERATOR_PORT, VLLM


@dataclass(frozen=True)
class Site:
    """A running Synapse as its gateway is configured."""

    base_url: str
    cluster: Cluster
    operator_key: str
    apps: tuple[App, ...]
    gpu_models: tuple[str, ...]

    def gpu(self) -> dict[str, Any]:
        """What the arbiter says of the GPU and its models; empty when it does not answer."""
        answer = self.cluster.get(VLLM.service, ARBITER_OPERATOR_PORT, "/status")
        return dict(json.loads(answer.body)) if answer.status == 200 else {}

    def one_awake(self) -> bool:
        """Tell whether the GPU is at rest: at most one model awake, all others asleep."""
        states = [model["state"] for model in self.gpu().get("models", [])]
        asleep = len(self.gpu_models) - states.count("awake")
        return states.count("awake") <= 1 and states.count("asleep") == asleep

    def all_ready(self) -> bool:
        """Tell whether every workload has the ready pods that the catalogue asks for."""
        return all(
            (workload.status.ready_replicas or 0) == workload.spec.replicas
            for workload in self.cluster.workloads()
        )


def read_site(cluster: Cluster, base_url: str) -> Site:
    """Read the applications, their keys and the GPU's models they may use from the cluster."""
    config = gateway_config(cluster, cluster.workloads())
    gpu = tuple(model["name"] for model in config["models"] if model.get("via_arbiter"))
    names = [*gpu, *(alias["name"] for alias in config["aliases"] if alias["model"] in gpu)]
    allowed = {app["name"]: app["models"] for app in config["apps"]}
    asks = {app: tuple(n for n in names if n in may or "*" in may) for app, may in allowed.items()}
    apps = tuple(
        App(app, read_app_key(cluster, app), asked) for app, asked in asks.items() if asked
    )
    return Site(base_url, cluster, read_master_key(cluster), apps, gpu)
