"""`make test-health`: what runs, which models are there, how fast they answer.

Nothing is loaded or woken unless asked.
"""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import yaml

from synapse_cli import arbiter, fetching, speech
from synapse_cli.cluster import Answer, Cluster, ClusterError
from synapse_cli.gpu import downloading, gpu_rows
from synapse_cli.table import Row
from synapse_cli.version import shipped_version, version_row
from synapse_common.engines import (
    ARBITER_PORT,
    ENGINES,
    LITELLM,
    LITELLM_PORT,
    OLLAMA,
    VLLM,
    deployed,
    is_on_gpu,
)
from synapse_common.protocol import MODEL

GATEWAY = "gateway"
LISTS = ("tags", "ps")  # Ollama's models on disk, and in memory
# What tells that a service answers, without making it work: service, port or its name, path.
PROBES: dict[str, tuple[str, int | str, str]] = {
    GATEWAY: (GATEWAY, "http", "/health/ready"),  # its number is the site's to choose
    LITELLM.name: (LITELLM.name, LITELLM_PORT, "/health/readiness"),
    VLLM.service: (VLLM.service, ARBITER_PORT, "/readyz"),
    **{
        engine.name: (engine.name, engine.port, engine.health_path)
        for engine in deployed()
        if engine.health_path
    },
}
DEEP_TIMEOUT_S = 120.0


def look(cluster: Cluster, ask: httpx.Client | None) -> Iterator[Row]:
    """All rows: version, services, GPU, models; with `ask`, each model gets one real request."""
    everything = cluster.workloads()
    yield version_row(everything, shipped_version())
    workloads = [one for one in everything if not is_on_gpu(kind_of(one))]
    names = {workload.metadata.name for workload in workloads}
    probes = {name: cluster.get(*probe) for name, probe in PROBES.items() if name in names}
    yield from workload_rows(workloads, probes)
    models = list(gateway_config(cluster, workloads)["models"])
    kinds = {model["name"]: model["kind"] for model in models}
    for row in model_rows(cluster, models):
        if ask is None or not row.model:
            yield row
        else:
            state, healthy, latency_s = ask_for_real(ask, row.model, kinds[row.model])
            yield Row(row.service, row.model, state, healthy, latency_s)


def kind_of(workload: Any) -> str | None:
    """What a workload runs, as its label says."""
    return (workload.metadata.labels or {}).get("app.kubernetes.io/name")


def gateway_config(cluster: Cluster, workloads: Iterable[Any]) -> dict[str, Any]:
    """The configuration that the running gateway has mounted."""
    for workload in workloads:
        if workload.metadata.name == GATEWAY:
            volumes = {volume.name: volume for volume in workload.spec.template.spec.volumes}
            config = cluster.config_map(volumes["config"].config_map.name)
            return dict(yaml.safe_load(config["gateway.yaml"]))
    raise ClusterError("There is no gateway in the cluster yet. Run make deploy.")


def model_rows(cluster: Cluster, models: list[dict[str, Any]]) -> Iterator[Row]:
    """One row a model, and one for the GPU; what is outside the cluster is named, not asked."""
    of_gpu = [model["name"] for model in models if is_on_gpu(model["engine"])]
    if of_gpu:
        for row in gpu_rows(of_gpu, arbiter.status(cluster)):
            yield downloading(row, lambda name: cluster.last_words(f"vllm-{name}-0", VLLM.name, 20))
    local = [model["name"] for model in models if model["engine"] == OLLAMA.name]
    if local:
        tags, loaded = (cluster.get(OLLAMA.name, OLLAMA.port, f"/api/{what}") for what in LISTS)
        yield from ollama_rows(local, tags, loaded, cluster.get(*fetching.STATUS))
    for engine in deployed():
        of_engine = [model for model in models if model["engine"] == engine.name]
        if of_engine and engine.lists_models_at:
            listed = cluster.get(engine.name, engine.port, engine.lists_models_at)
            for row in listed_rows(engine.name, of_engine, listed):
                yield fetching.of_sound(row, engine.name, cluster)
    for model in models:
        if ENGINES[model["engine"]].is_outside:
            yield Row(model["engine"], model["name"], "not asked", True)


def workload_rows(workloads: Iterable[Any], probes: dict[str, Answer]) -> Iterator[Row]:
    """One row a Deployment or StatefulSet: its ready replicas, its health address's answer."""
    for workload in workloads:
        name = workload.metadata.name
        ready, wanted = workload.status.ready_replicas or 0, workload.spec.replicas
        probe = probes.get(name)
        answers = probe is None or probe.status == httpx.codes.OK
        state = f"{ready}/{wanted} ready" + (
            "" if answers or probe is None else f", answers {probe.status or 'nothing'}"
        )
        yield Row(name, "", state, ready == wanted and answers, probe.latency_s if probe else None)


def listed_rows(engine: str, models: Iterable[dict[str, Any]], listed: Answer) -> Iterator[Row]:
    """One row a model of one engine: ready when the engine lists it, else missing."""
    there = (
        {entry["id"] for entry in json.loads(listed.body)["data"]}
        if listed.status == httpx.codes.OK
        else set()
    )
    for model in models:
        ready = (model.get("served_name") or model["name"]) in there
        yield Row(engine, model["name"], "on disk" if ready else "missing", ready, listed.latency_s)


def ollama_rows(
    names: Iterable[str], tags: Answer, loaded: Answer, fetched: Answer
) -> Iterator[Row]:
    """One row a model of the catalogue that Ollama serves: loaded, on disk, or how far it is."""
    on_disk = {untagged(entry["name"]) for entry in entries(tags)}
    in_memory = {untagged(entry["name"]) for entry in entries(loaded)}
    standings = fetching.standings(fetched)
    for name in names:
        there = "loaded" if name in in_memory else "on disk" if name in on_disk else ""
        yield Row(OLLAMA.name, name, *fetching.told(name, there, standings), tags.latency_s)


def entries(answer: Answer) -> list[dict[str, Any]]:
    """The `models` of one of Ollama's lists; empty when it did not answer."""
    return (
        list(json.loads(answer.body).get("models") or []) if answer.status == httpx.codes.OK else []
    )


def untagged(name: str) -> str:
    """Ollama lists `tiny:latest` for what was created as `tiny`."""
    return name.removesuffix(":latest")


def small_request(name: str, kind: str) -> tuple[str, dict[str, Any]]:
    """The path and body of one small request for a model that reads and writes."""
    if kind == "embedding":
        return "/v1/embeddings", {"json": {"model": name, "input": "health"}}
    if kind == "rerank":
        body = {"model": name, "query": "health", "documents": ["health"]}
        return "/v1/rerank", {"json": body}
    hello = [{"role": "user", "content": "health"}]
    return "/v1/chat/completions", {"json": {"model": name, "messages": hello, "max_tokens": 1}}


def ask_for_real(client: httpx.Client, name: str, kind: str) -> tuple[str, bool, float]:
    """Send one small request to a model through the gateway: state, healthy, seconds."""
    path, body = speech.small_request(name, kind) or small_request(name, kind)
    started = time.perf_counter()
    try:
        answer = client.post(path, timeout=DEEP_TIMEOUT_S, **body)
    except httpx.HTTPError as fault:
        return f"no answer ({type(fault).__name__})", False, time.perf_counter() - started
    spent_s = time.perf_counter() - started
    served = answer.headers.get(MODEL, name)
    state = "answers" if served == name else f"served by {served}"
    return (
        (state, True, spent_s)
        if answer.is_success
        else (f"answers {answer.status_code}", False, spent_s)
    )
