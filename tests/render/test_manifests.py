"""What is true of every object that site.yml renders."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from synapse_deploy.kube.manifests import VERSION_LABEL

Object = dict[str, Any]
ROOT = Path(__file__).parents[2]

# The version of the testbed; production's K3s is at least as new.
GO_MOD = Path(__file__).parents[2] / "molecule/testbed/go/kubernetes/go.mod"
KUBERNETES = re.findall(r"k8s.io/kubernetes v(\d+\.\d+)", GO_MOD.read_text())[0]
RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip


def name_of(found: Object) -> str:
    return f"{found['kind']} {found['metadata']['name']}"


def pods_of(objects: list[Object]) -> list[Object]:
    return [found["spec"]["template"] for found in objects if "template" in found.get("spec", {})]


def containers_of(workload: Object) -> list[Object]:
    spec = workload["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def services_of(workloads: list[Object]) -> list[Object]:
    """All but the device plugin, which serves the kubelet and no program."""
    return [found for found in workloads if found["kind"] != "DaemonSet"]


def matches(selector: Object, pod: Object) -> bool:
    return bool(selector.items() <= pod["metadata"]["labels"].items())


def test_every_object_passes_its_schema(objects: list[Object]) -> None:
    assert objects
    for found in objects:
        kubernetes_validate.validate(found, KUBERNETES, strict=True)


def test_every_object_says_what_it_is_and_whose(objects: list[Object]) -> None:
    for found in objects:
        labels = found["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "synapse", name_of(found)
        assert labels["app.kubernetes.io/managed-by"] == "ansible", name_of(found)
        assert labels["synapse/owner"], name_of(found)


def test_every_object_says_its_version_and_no_pod_does(objects: list[Object]) -> None:
    """A pod with the version would restart for every release, a selector could not change."""
    shipped = yaml.safe_load((ROOT / "group_vars/all/versions.yml").read_text())["synapse_version"]
    for found in objects:
        assert found["metadata"]["labels"][VERSION_LABEL] == shipped, name_of(found)
        assert VERSION_LABEL not in json.dumps({**found, "metadata": None}), name_of(found)


def test_litellms_objects_are_not_those_that_an_older_version_called_so(
    objects: list[Object],
) -> None:
    """The gateway's old objects are found by these two labels and removed."""
    tasks = (ROOT / "roles/gateway/tasks/move_from_litellm.yml").read_text()
    (selectors,) = re.findall(r"label_selectors: \[(.+)\]", tasks)
    old = dict(label.split("=") for label in selectors.split(", "))
    assert old == {"synapse/owner": "litellm", "app.kubernetes.io/component": "gateway"}
    ours = [one for one in objects if one["metadata"]["labels"]["synapse/owner"] == "litellm"]
    assert ours
    assert not [name_of(one) for one in ours if old.items() <= one["metadata"]["labels"].items()]


def test_no_object_is_rendered_twice(objects: list[Object]) -> None:
    assert Counter(map(name_of, objects)).most_common(1)[0][1] == 1


def test_workloads_select_their_own_pods_and_nobody_elses(workloads: list[Object]) -> None:
    for workload in workloads:
        selector = workload["spec"]["selector"]["matchLabels"]
        chosen = [other for other in workloads if matches(selector, other["spec"]["template"])]
        assert chosen == [workload], name_of(workload)


def test_services_reach_a_port_of_a_pod(objects: list[Object]) -> None:
    services = [found for found in objects if found["kind"] == "Service"]
    assert services
    for service in services:
        (pod,) = [pod for pod in pods_of(objects) if matches(service["spec"]["selector"], pod)]
        named = {
            port["name"]
            for container in pod["spec"]["containers"]
            for port in container.get("ports", [])
        }
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, name_of(service)


def test_only_what_people_and_programs_ask_is_reachable_from_outside(
    objects: list[Object],
) -> None:
    open_to_all = [
        found["metadata"]["name"]
        for found in objects
        if found["kind"] == "Ingress"
        or (found["kind"] == "Service" and found["spec"].get("type", "ClusterIP") != "ClusterIP")
    ]
    assert set(open_to_all) == {"gateway", "wyoming", "open-webui"}


def test_every_image_is_pinned(workloads: list[Object]) -> None:
    for workload in workloads:
        for container in containers_of(workload):
            tag = container["image"].rpartition("/")[2].partition(":")[2]
            assert tag not in ("", "latest"), name_of(workload)


def test_every_container_has_limits(workloads: list[Object]) -> None:
    for workload in workloads:
        for container in containers_of(workload):
            assert {"cpu", "memory"} <= container["resources"]["limits"].keys(), name_of(workload)


def test_every_container_has_probes(workloads: list[Object]) -> None:
    """But the device plugin, which has a socket for the kubelet alone; two pods try it."""
    for workload in services_of(workloads):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()


def test_every_pod_satisfies_the_restricted_level(workloads: list[Object]) -> None:
    for workload in services_of(workloads):
        spec = workload["spec"]["template"]["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name_of(workload)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        assert spec["securityContext"].get("runAsUser") != 0
        for volume in spec.get("volumes", []):
            assert volume.keys() - {"name"} <= RESTRICTED_VOLUMES, name_of(workload)
        for container in containers_of(workload):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert not any("hostPort" in port for port in container.get("ports", []))


def test_the_device_plugin_has_a_folder_of_the_kubelets_and_no_other_right(
    workloads: list[Object],
) -> None:
    (plugin,) = [one for one in workloads if one["kind"] == "DaemonSet"]
    spec = plugin["spec"]["template"]["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    folders = [volume["hostPath"]["path"] for volume in spec["volumes"] if "hostPath" in volume]
    assert folders == ["/var/lib/kubelet/device-plugins"]
    for container in containers_of(plugin):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_device_plugin_gets_the_drivers_library(workloads: list[Object]) -> None:
    """Without the runtime it would run, find no GPU and offer none, for ever."""
    (plugin,) = [one for one in workloads if one["kind"] == "DaemonSet"]
    assert plugin["spec"]["template"]["spec"]["runtimeClassName"] == "nvidia"


def test_the_gpu_is_offered_to_every_engine_and_to_pods_that_try_it(
    objects: list[Object], site: Object
) -> None:
    (text,) = [
        found["data"]["plugin.yaml"]
        for found in objects
        if found["kind"] == "ConfigMap" and "plugin.yaml" in found["data"]
    ]
    sharing = yaml.safe_load(text)["sharing"]["timeSlicing"]
    engines = [model for model in site["synapse_models"] if model["engine"] == "vllm"]
    assert sharing == {
        "failRequestsGreaterThanOne": True,
        "resources": [{"name": "nvidia.com/gpu", "replicas": len(engines) + 2}],
    }


def test_pods_hold_no_more_than_they_need(workloads: list[Object]) -> None:
    for workload in workloads:
        spec = workload["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False, name_of(workload)
        assert spec["enableServiceLinks"] is False, name_of(workload)
        for container in containers_of(workload):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_namespace_enforces_the_restricted_level(objects: list[Object]) -> None:
    levels = {
        found["metadata"]["name"]: found["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for found in objects
        if found["kind"] == "Namespace"
    }
    # Nothing but the device plugin is in the other one.
    assert levels == {"llm-infra": "restricted", "nvidia-device-plugin": "privileged"}


@pytest.mark.parametrize("name", ["NVIDIA_VISIBLE_DEVICES=void", "CUDA_VISIBLE_DEVICES=-1"])
def test_ollama_never_sees_the_gpu(workloads: list[Object], name: str) -> None:
    (ollama,) = [found for found in workloads if found["metadata"]["name"] == "ollama"]
    (container,) = containers_of(ollama)
    assert name in {f"{found['name']}={found.get('value')}" for found in container["env"]}
    assert "runtimeClassName" not in ollama["spec"]["template"]["spec"]


def test_no_secret_value_is_rendered(objects: list[Object]) -> None:
    assert [name_of(found) for found in objects if found["kind"] == "Secret"] == []


def test_volumes_with_data_outlive_their_claims(objects: list[Object]) -> None:
    volumes = [found for found in objects if found["kind"] == "PersistentVolume"]
    assert volumes
    for volume in volumes:
        assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"


@pytest.mark.parametrize(
    ("name", "host", "secret"),
    [("gateway", "ai.example.org", "ai-tls"), ("open-webui", "chat.example.org", "chat-tls")],
)
def test_ingress_offers_a_service_over_tls_alone(
    objects: list[Object], name: str, host: str, secret: str
) -> None:
    (ingress,) = (
        found
        for found in objects
        if found["kind"] == "Ingress" and found["metadata"]["name"] == name
    )
    assert ingress["spec"]["tls"] == [{"hosts": [host], "secretName": secret}]
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert rule["host"] == host
    assert path["backend"]["service"] == {"name": name, "port": {"name": "http"}}
