"""The engines as they are deployed: one line brings the GPU, and models come and go alone."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import pytest

Object = dict[str, Any]
Named = dict[tuple[str, str], Object]


def engines(objects: Iterable[Object]) -> Named:
    """Every object of the role, by kind and name."""
    return {
        (found["kind"], found["metadata"]["name"]): found
        for found in objects
        if found["metadata"]["labels"]["synapse/owner"] == "vllm"
    }


@pytest.fixture(scope="session")
def changed(render_again: Callable[..., list[Object]], site: Object) -> Named:
    """The engines of the same site with one model told something else, and one model less."""
    site = copy.deepcopy(site)
    big, plain, *others = site["synapse_models"]
    assert (big["name"], plain["name"]) == ("big", "plain")
    big["engine_args"]["max-num-seqs"] = 8
    site["synapse_models"] = [big, *others]
    return engines(render_again(site, "--tags", "vllm"))


def test_without_a_gpu_there_are_no_engines(without_a_gpu: list[Object]) -> None:
    assert engines(without_a_gpu) == {}


def test_a_gpu_is_one_line_that_only_adds(
    objects: list[Object], without_a_gpu: list[Object], site: Object
) -> None:
    def names(found: list[Object]) -> set[tuple[str, str]]:
        fixed = (one for one in found if not one.get("immutable"))  # others are named by contents
        return {(one["kind"], one["metadata"]["name"]) for one in fixed}

    assert names(without_a_gpu) < names(objects)
    added = {name for kind, name in names(objects) - names(without_a_gpu) if kind == "StatefulSet"}
    on_gpu = [model["name"] for model in site["synapse_models"] if model["engine"] == "vllm"]
    assert added == {f"vllm-{name}" for name in on_gpu}


def test_changing_one_model_replaces_its_engine_alone(
    objects: list[Object], changed: Named
) -> None:
    before = engines(objects)
    different = {key for key in changed if changed[key] != before[key]}
    assert different == {("StatefulSet", "vllm-big")}


def test_removing_a_model_removes_its_objects_alone(objects: list[Object], changed: Named) -> None:
    gone = engines(objects).keys() - changed.keys()
    assert gone == {("StatefulSet", "vllm-plain"), ("Service", "vllm-plain")}


def test_the_arbiter_finds_every_engine_and_may_replace_its_pod(objects: list[Object]) -> None:
    ours = engines(objects)
    (role,) = (found for found in objects if found["kind"] == "Role")
    pods = [f"{name}-0" for kind, name in ours if kind == "StatefulSet"]
    assert sorted(role["rules"][0]["resourceNames"]) == sorted(pods)
    services = {f"http://{name}:8000" for kind, name in ours if kind == "Service"}
    maps = [found["data"] for found in objects if found["kind"] == "ConfigMap"]
    (text,) = (data["arbiter.yaml"] for data in maps if "arbiter.yaml" in data)
    assert all(f"url: {service}\n" in text for service in services)


def test_an_engine_that_is_not_ready_is_reachable_and_replaceable(objects: list[Object]) -> None:
    for (kind, _), found in engines(objects).items():
        if kind == "Service":
            assert found["spec"]["publishNotReadyAddresses"] is True
        if kind == "StatefulSet":
            assert found["spec"]["podManagementPolicy"] == "Parallel"
            assert found["spec"]["replicas"] == 1


def test_engines_run_without_root_on_the_gpu(objects: list[Object]) -> None:
    for (kind, _), found in engines(objects).items():
        if kind == "StatefulSet":
            pod = found["spec"]["template"]["spec"]
            assert pod["runtimeClassName"] == "nvidia"
            assert pod["securityContext"]["runAsUser"] == 2000
            (container,) = pod["containers"]
            assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
