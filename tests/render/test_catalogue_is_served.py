"""Whatever the catalogue names is reachable: a route for each model, a target for each name."""

from typing import Any

import pytest
import yaml

from synapse_deploy.catalogue.resolve import resolve, resolve_names

Object = dict[str, Any]


def config_of(objects: list[Object], file: str) -> Object:
    """One file of the gateway's configuration."""
    maps = [found for found in objects if found["kind"] == "ConfigMap"]
    (text,) = [found["data"][file] for found in maps if file in found["data"]]
    config: Object = yaml.safe_load(text)
    return config


@pytest.fixture(scope="session")
def litellm(objects: list[Object]) -> Object:
    return config_of(objects, "litellm.yaml")


@pytest.fixture(scope="session")
def gateway(objects: list[Object]) -> Object:
    return config_of(objects, "gateway.yaml")


def test_every_model_has_a_route(litellm: Object, gateway: Object, site: Object) -> None:
    served = resolve(site["synapse_models"], site["synapse_gpus"])
    assert [model["name"] for model in gateway["models"]] == [model["name"] for model in served]
    texts = [model["name"] for model in served if model["kind"] in ("chat", "embedding")]
    assert [route["model_name"] for route in litellm["model_list"]] == texts
    audio = [model for model in gateway["models"] if model["name"] not in texts]
    assert audio
    assert all(model["url"] and model["served_name"] for model in audio)


def test_every_model_of_ollama_is_the_gateways_to_ask(
    litellm: Object, gateway: Object, site: Object
) -> None:
    routes = {route["model_name"]: route["litellm_params"] for route in litellm["model_list"]}
    urls = {model["name"]: model["url"] for model in gateway["models"]}
    for model in site["synapse_models"]:
        if model["engine"] == "ollama":
            assert urls[model["name"]].startswith("http://ollama:11434")
            assert routes[model["name"]]["api_base"] == "http://gateway-inner:8001/v1"


def test_pictures_come_from_the_same_hosts_for_gateway_and_engines(
    objects: list[Object], gateway: Object
) -> None:
    hosts = gateway["settings"]["media_domains"]
    assert hosts == ["images.example.org"]
    for found in objects:
        if found["kind"] == "StatefulSet":
            words = found["spec"]["template"]["spec"]["containers"][0]["command"]
            told = [word for word in words if word in ("--allowed-media-domains", *hosts)]
            is_chat = "--runner=pooling" not in words
            assert told == (["--allowed-media-domains", *hosts] if is_chat else [])


def test_litellm_comes_back_by_a_port_that_is_open_in_the_cluster_alone(
    objects: list[Object], gateway: Object
) -> None:
    services = {one["metadata"]["name"]: one for one in objects if one["kind"] == "Service"}
    inner = services["gateway-inner"]["spec"]
    assert inner.get("type", "ClusterIP") == "ClusterIP"
    assert [port["port"] for port in inner["ports"]] == [gateway["settings"]["inner_port"]]
    assert "inner" not in {port["targetPort"] for port in services["gateway"]["spec"]["ports"]}
    assert gateway["translator"]["url"] == "http://litellm:4000/v1"


def test_every_further_name_points_at_a_route(
    litellm: Object, gateway: Object, site: Object
) -> None:
    names = resolve_names(site["synapse_aliases"], site["synapse_models"], site["synapse_gpus"])
    assert gateway["aliases"] == names
    assert {name["name"] for name in names} == {"chat", "brief", "embed", "whisper-1", "tts-1"}
    served = {route["model_name"] for route in litellm["model_list"]}
    served |= {model["name"] for model in gateway["models"] if "url" in model}  # by the edge itself
    assert {name["model"] for name in names} <= served


def test_without_a_gpu_every_name_is_served_by_the_cpu(
    without_a_gpu: list[Object], site: Object
) -> None:
    gateway = config_of(without_a_gpu, "gateway.yaml")
    served = {model["name"]: model["engine"] for model in gateway["models"]}
    assert "vllm" not in served.values()
    names = {name["name"]: name["model"] for name in gateway["aliases"]}
    assert names["big"] == names["plain"] == names["chat"] == "small"
    assert names["pooled"] == "vectors"
    written = {model["name"] for model in site["synapse_models"]}
    assert written <= served.keys() | names.keys()


def test_without_a_gpu_no_connection_leads_to_the_arbiter(without_a_gpu: list[Object]) -> None:
    routes = config_of(without_a_gpu, "litellm.yaml")["model_list"]
    assert not [route for route in routes if "arbiter" in route["litellm_params"]["api_base"]]


def test_every_application_is_known(gateway: Object, site: Object) -> None:
    known = [app["name"] for app in site["synapse_apps"]]
    made = ["home-assistant", "open-webui", "open-webui-tasks"]
    assert [app["name"] for app in gateway["apps"]] == [*known, *made]
