"""What a user may say of the site; each fact has its default in group_vars/all/defaults.yml."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from synapse_common.strict import Count, Listed, Port, Positive, Strict, Text, Url
from synapse_deploy.catalogue.entries import DNS_LABEL

SLEEPING_GIB = 1.5
"""GPU memory that a sleeping engine keeps: CUDA's context and its graphs."""


def written(pattern: str, hint: str) -> object:
    """Return the note that a text must match, with what to write instead."""
    return Field(pattern=f"^{pattern}$", json_schema_extra={"hint": hint})


class Gpu(Strict):
    """One GPU."""

    what: ClassVar[str] = "GPU"

    vram_gib: Positive = Field(
        description="memory that programs can use, such as 31.4 of a 32 GB RTX 5090"
    )
    sleeping_gib: Positive = Field(
        SLEEPING_GIB, description="GPU memory that a sleeping engine keeps"
    )
    uuid: (
        Annotated[
            str,
            written(r"GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "what `nvidia-smi -L` shows"),
        ]
        | None
    ) = Field(
        None,
        description="which GPU the arbiter measures, where the server has several; "
        "left out: the first",
    )


class Ingress(Strict):
    """HTTPS through the cluster's own Ingress."""

    host: Text = Field(description="name under which the server is reached")
    tls_secret: Text = Field(description="TLS Secret in the namespace")


def _ip_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f'"{text}" is not an IP address; write one such as 192.168.1.20') from None


class Host(Strict):
    """One port of one address."""

    what: ClassVar[str] = "host"

    address: Annotated[str, AfterValidator(_ip_address)] = Field(description="IP address")
    port: Port = Field(description="TCP port")


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(
            f'"{text}" is no address and no network; write one such as 192.168.1.0/24'
        ) from None


Network = Annotated[str, AfterValidator(_network)]
ServerPath = Annotated[str, written(r"/\S*", "an absolute path on the server")]


class OpenPort(Strict):
    """A port of the server that stays open."""

    what: ClassVar[str] = "open port"

    port: Port = Field(description="its number")
    protocol: Literal["tcp", "udp"] = Field("tcp", description="tcp or udp")
    clients: Listed[Network] = Field(
        (), description="addresses or networks that reach it; left out: all"
    )


class Proxy(Strict):
    """How the server reaches the internet."""

    http: Url | None = Field(None, description="proxy for http://")
    https: Url | None = Field(None, description="proxy for https://")
    no_proxy: Listed[Text] = Field((), description="names and networks that need none")


class Disks(Strict):
    """Where the server keeps its data."""

    models: ServerPath | None = Field(
        None, description="folder for the volumes, models most of all"
    )
    images: ServerPath | None = Field(
        None, description="folder below which K3s gets one of its own, k3s, for its images"
    )
    backups: ServerPath | None = Field(None, description="folder for copies of the cluster's state")


class Facts(Strict):
    """The facts of one site. What each means stands in defaults.yml, beside its default."""

    synapse_namespace: Annotated[str, written(DNS_LABEL, "a DNS label such as llm-infra")]
    synapse_kubeconfig: Text
    synapse_enforce: list[Literal["firewall", "hardening", "image_collection"]] | None
    synapse_open_ports: Listed[OpenPort]
    synapse_api_clients: Listed[Network]
    synapse_proxy: Proxy | None
    synapse_disks: Disks | None
    synapse_memory_gib: Positive | None
    synapse_gpus: Listed[Gpu]
    synapse_gpu_store_gib: Positive
    synapse_storage_class: Text
    synapse_gateway_port: Port
    synapse_gateway_service_type: Literal["LoadBalancer", "NodePort", "ClusterIP"]
    synapse_gateway_node_port: Port | None
    synapse_gateway_ingress: Ingress | None
    synapse_gateway_url: Url | None
    synapse_lan_hosts: Listed[Host]
    synapse_api_servers: Listed[Host]
    synapse_model_files_path: ServerPath | None
    synapse_cpu_cores: Positive
    synapse_cpu_memory_gib: Positive
    synapse_cpu_parallel_requests: Count
    synapse_cpu_loaded_models: Count
    synapse_cpu_store_gib: Positive
    synapse_keep_alive: Annotated[
        str, written(r"([1-9]\d*(s|m|h))+", "a time that ends, such as 15m")
    ]
    synapse_speech_cpu_cores: Positive
    synapse_speech_memory_gib: Positive
    synapse_speech_store_gib: Positive
