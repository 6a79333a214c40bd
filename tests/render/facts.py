"""Where each fact of a site ends: how it is read out of what was rendered."""

from collections.abc import Callable
from typing import Any

import yaml

Object = dict[str, Any]


class Rendered:
    """Every object of a rendering, by kind and name."""

    def __init__(self, objects: list[Object]) -> None:
        """Sort them."""
        self._objects = {(one["kind"], one["metadata"]["name"]): one for one in objects}

    def spec(self, kind: str, name: str) -> Object:
        """The spec of one object."""
        return dict(self._objects[kind, name]["spec"])

    def annotation(self, kind: str, name: str, key: str) -> str | None:
        """An annotation of one object, None where it has none of that name."""
        found: Object = self._objects[kind, name]["metadata"].get("annotations", {})
        return found.get(key)

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        return [name for known, name in self._objects if known == kind]

    def container(self, kind: str, name: str) -> Object:
        """The first container of a workload."""
        return dict(self.spec(kind, name)["template"]["spec"]["containers"][0])

    def variable(self, name: str) -> str:
        """An environment variable of Ollama."""
        listed = self.container("Deployment", "ollama")["env"]
        return str(next(one["value"] for one in listed if one["name"] == name))

    def cores(self, name: str) -> float:
        """The CPU limit of a deployment's container."""
        return float(self.container("Deployment", name)["resources"]["limits"]["cpu"])

    def memory_gib(self, name: str) -> float:
        """The memory limit of a deployment's container."""
        limit = str(self.container("Deployment", name)["resources"]["limits"]["memory"])
        return int(limit.removesuffix("Mi")) / 1024

    def size_gib(self, claim: str) -> float:
        """The size of a claim."""
        spec = self.spec("PersistentVolumeClaim", claim)
        return float(spec["resources"]["requests"]["storage"].removesuffix("Gi"))

    def arbiter(self) -> Object:
        """The arbiter's configuration."""
        maps = [one["data"] for one in self._objects.values() if one["kind"] == "ConfigMap"]
        (text,) = [data["arbiter.yaml"] for data in maps if "arbiter.yaml" in data]
        return dict(yaml.safe_load(text))


def _ingress(found: Rendered) -> Object | None:
    if not found.names("Ingress"):
        return None
    spec = found.spec("Ingress", "gateway")
    return {"host": spec["rules"][0]["host"], "tls_secret": spec["tls"][0]["secretName"]}


def _files(found: Rendered) -> str | None:
    paths = [
        found.spec("PersistentVolume", name)["hostPath"]["path"]
        for name in found.names("PersistentVolume")
    ]
    return paths[0] if paths else None


def _port(found: Rendered) -> Object:
    return dict(found.spec("Service", "gateway")["ports"][0])


def _hosts(found: Rendered, policy: str) -> list[Object]:
    """The single addresses that a policy opens."""
    return [
        {"address": peer["ipBlock"]["cidr"].removesuffix("/32"), "port": rule["ports"][0]["port"]}
        for rule in found.spec("NetworkPolicy", policy)["egress"]
        for peer in rule["to"]
        if peer.get("ipBlock", {}).get("cidr", "").endswith("/32")
    ]


# Not among them: synapse_kubeconfig, which decides where objects go and is in none of them, and
# synapse_memory_gib, which only the check looks at.
FOUND: dict[str, Callable[[Rendered], Any]] = {
    "synapse_namespace": lambda found: found.names("Namespace")[0],
    "synapse_gpus": lambda found: [{"vram_gib": found.arbiter()["gpu"]["vram_gib"]}],
    "synapse_gpu_store_gib": lambda found: found.size_gib("vllm-models"),
    "synapse_storage_class": lambda found: found.spec("PersistentVolumeClaim", "ollama")[
        "storageClassName"
    ],
    "synapse_gateway_port": lambda found: _port(found)["port"],
    "synapse_gateway_service_type": lambda found: found.spec("Service", "gateway")["type"],
    "synapse_gateway_node_port": lambda found: _port(found).get("nodePort"),
    "synapse_gateway_ingress": _ingress,
    "synapse_gateway_url": lambda found: found.annotation("Service", "gateway", "synapse/url"),
    "synapse_lan_hosts": lambda found: _hosts(found, "ollama"),
    "synapse_api_servers": lambda found: _hosts(found, "arbiter"),
    "synapse_model_files_path": _files,
    "synapse_cpu_cores": lambda found: found.cores("ollama"),
    "synapse_cpu_memory_gib": lambda found: found.memory_gib("ollama"),
    "synapse_cpu_parallel_requests": lambda found: int(found.variable("OLLAMA_NUM_PARALLEL")),
    "synapse_cpu_loaded_models": lambda found: int(found.variable("OLLAMA_MAX_LOADED_MODELS")),
    "synapse_cpu_store_gib": lambda found: found.size_gib("ollama"),
    "synapse_keep_alive": lambda found: found.variable("OLLAMA_KEEP_ALIVE"),
    "synapse_speech_cpu_cores": lambda found: found.cores("piper"),
    "synapse_speech_memory_gib": lambda found: found.memory_gib("speaches"),
    "synapse_speech_store_gib": lambda found: found.size_gib("speech-models"),
}


def facts_in(objects: list[Object]) -> Object:
    """Every fact as it stands in the rendered objects."""
    found = Rendered(objects)
    return {name: look(found) for name, look in FOUND.items()}
