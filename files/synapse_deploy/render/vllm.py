"""From a catalogue entry to one engine: command, environment, resources, network. Pure."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from synapse_arbiter.config import Limits
from synapse_common.engines import (
    CONCURRENCY,
    GRACE_S,
    KILL_AFTER_S,
    SHUTDOWN_S,
    STOPS_AT_MOST,
    VLLM,
)
from synapse_common.secrets import BOOT_ENTRY, BOOT_SECRET
from synapse_deploy.catalogue.memory import copy_gib
from synapse_deploy.render.network import admitted, downloads, port_of, tcp

Entry = Mapping[str, Any]

GIB = 1024**3
PORT = VLLM.port
STORE = "/models"
HUB = f"{STORE}/huggingface"
CODE = "/opt/synapse"
PHASE_FILE = "/tmp/phase"  # noqa: S108  # an emptyDir of the pod
SECRET_FOLDER = "/run/synapse-boot"  # noqa: S105  # where the secret is, not what it is
QUIET_PATHS = "/health,/metrics,/is_sleeping"  # asked every few seconds
RUNNERS = {"embedding": "pooling", "rerank": "pooling"}


def engines(models: Iterable[Entry], gpu: Entry | None, settings: Entry) -> list[dict[str, Any]]:
    """Return each model's engine: its name, command, environment, resources and time to end."""
    return [
        {
            "name": model["name"],
            "command": command(model, gpu or {}, settings),
            "environment": environment(model, settings),
            "resources": resources(model, settings),
            "grace_s": GRACE_S,
        }
        for model in models
    ]


def command(model: Entry, gpu: Entry, settings: Entry) -> list[str]:
    """Return the container's command: the boot lease, and under it the server."""
    lease = ["python3", f"{CODE}/boot_lease.py", "--arbiter", settings["lease_url"]]
    lease += ["--secret-file", f"{SECRET_FOLDER}/{BOOT_ENTRY}"]
    lease += ["--model", model["name"], "--phase-file", PHASE_FILE]
    lease += ["--kill-after-s", str(KILL_AFTER_S)]
    return [*lease, *_download(model, settings), "--", *_server(model, gpu, settings)]


def _download(model: Entry, settings: Entry) -> list[str]:
    if settings["offline"]:
        return []
    download = ["hf", "download", model["source"]]
    if revision := model["engine_args"].get("revision"):
        download += ["--revision", str(revision)]
    for pattern in settings["download_without"]:
        download += ["--exclude", pattern]
    folder = f"{HUB}/hub/models--{model['source'].replace('/', '--')}"
    options = ["--prepare", shlex.join(download), "--watch", folder]
    options += ["--prepare-limit-s", str(settings["prepare_limit_s"])]
    return [*options, "--needs-gib", f"{model['disk_gib']:g}"] if model["disk_gib"] else options


def _server(model: Entry, gpu: Entry, settings: Entry) -> list[str]:
    options: dict[str, Any] = {
        "host": "0.0.0.0",  # noqa: S104  # the pod's own address; a NetworkPolicy says who comes in
        "port": PORT,
        "served-model-name": model["name"],
        "enable-sleep-mode": True,
        "kv-cache-memory-bytes": int(model["kv_cache_gib"] * GIB),
        "gpu-memory-utilization": math.floor(100 * model["vram_gib"] / gpu["vram_gib"]) / 100,
        "max-num-seqs": CONCURRENCY,
        "disable-access-log-for-endpoints": QUIET_PATHS,
        "shutdown-timeout": SHUTDOWN_S,
    }
    if model["context"]:
        options["max-model-len"] = model["context"]
    if runner := RUNNERS.get(model["kind"]):
        options["runner"] = runner
    elif settings["media_domains"]:
        options["allowed-media-domains"] = settings["media_domains"]
    options |= model["engine_args"]
    words = [word for name, value in options.items() for word in _option(name, value)]
    return ["vllm", "serve", model["source"], *words]


def _option(name: str, value: Any) -> list[str]:
    """Spell one option: true bare, a list as several words, a mapping as JSON."""
    if value is True:
        return [f"--{name}"]
    if isinstance(value, list | tuple):
        return [f"--{name}", *map(str, value)]
    if isinstance(value, Mapping):
        value = json.dumps(dict(value))
    return [f"--{name}={value}"]


def environment(model: Entry, settings: Entry) -> list[dict[str, Any]]:
    """Return the container's environment: development mode for sleep, every cache on the volume."""
    fixed = {
        "VLLM_SERVER_DEV_MODE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_DO_NOT_TRACK": "1",
        # It would refuse more than four, which OpenAI's API allows and other engines do not.
        "VLLM_MAX_STOP_STRINGS": str(STOPS_AT_MOST),
        # A host that pictures may come from must not send the engine on to another.
        "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
        "VLLM_CACHE_ROOT": f"{STORE}/vllm",
        "TORCHINDUCTOR_CACHE_DIR": f"{STORE}/torchinductor",
        "TRITON_CACHE_DIR": f"{STORE}/triton",
        "HF_HOME": HUB,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HOME": STORE,
        "USER": "vllm",
    }
    if settings["offline"]:
        fixed["HF_HUB_OFFLINE"] = "1"
        # FlashInfer's kernels come with the image. Unless told so, vLLM asks NVIDIA's server for
        # them, and where nobody answers it takes slower ones without saying what that means.
        fixed["VLLM_HAS_FLASHINFER_CUBIN"] = "1"
    own = {name: str(value) for name, value in model["environment"].items()}
    token = {"name": settings["token_secret"], "key": "token", "optional": True}
    return [
        *({"name": name, "value": value} for name, value in {**fixed, **own}.items()),
        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": token}},
    ]


def resources(model: Entry, settings: Entry) -> dict[str, Any]:
    """Return what the pod may take: the GPU, and memory for its weights while it sleeps."""
    memory = _mib(copy_gib(model) + settings["overhead_gib"])
    promised = settings["memory_request_gib"]
    return {
        "requests": {
            "cpu": str(settings["cpu_request"]),
            "memory": memory if promised is None else _mib(float(promised)),
        },
        "limits": {
            "cpu": str(settings["cpu_cores"]),
            "memory": memory,
            "nvidia.com/gpu": "1",
        },
    }


def probe(question: str, boot_limit_s: int) -> list[str]:
    """Return the command that asks whether the engine is `alive` or `ready`."""
    asked = ["python3", "-S", f"{CODE}/boot_probe.py", question, "--phase-file", PHASE_FILE]
    return [*asked, "--boot-limit-s", str(boot_limit_s)]


def silences(limits: Entry, period_s: int) -> int:
    """Return how often in a row an engine may not say whether it is alive, asked so often.

    Its core says nothing while it falls asleep or wakes, for as long as the arbiter lets it.
    """
    known = Limits.model_validate(dict(limits))
    longest_s = max(known.first_sleep_s, known.sleep_s, known.wake_s)
    return math.ceil(longest_s / period_s) + 2


def _mib(gib: float) -> str:
    return f"{math.ceil(gib * 1024)}Mi"


def secret() -> dict[str, Any]:
    """Return the volume with what the arbiter knows the wrapper by, and where it is mounted."""
    return {
        "volume": {"name": "secret", "secret": {"secretName": BOOT_SECRET, "defaultMode": 0o440}},
        "mount": {"name": "secret", "mountPath": SECRET_FOLDER, "readOnly": True},
    }


def ingress(arbiter: Entry) -> list[dict[str, Any]]:
    """Return who may come in: the arbiter alone, which shows the metrics on to others."""
    return admitted([{"podSelector": {"matchLabels": dict(arbiter)}}], PORT)


def egress(
    arbiter: Entry,
    url: str,
    offline: bool,
    lan_hosts: Iterable[Entry],
    media_domains: Collection[str],
) -> list[dict[str, Any]]:
    """Return where engines may go: the arbiter, and unless offline the internet and mirrors.

    Pictures may be at addresses without encryption too.
    """
    to = [{"podSelector": {"matchLabels": dict(arbiter)}}]
    rules: list[dict[str, Any]] = [{"to": to, "ports": [tcp(port_of(url))]}]
    ports = [80, 443] if media_domains else [443]
    return rules if offline else [*rules, *downloads(ports, lan_hosts)]
