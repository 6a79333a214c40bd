"""The arbiter as it is deployed: a good configuration, small rights, nothing without a GPU."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from synapse_arbiter.config import Settings, load
from synapse_common.secrets import ADMIN_SECRET, BOOT_SECRET

Object = dict[str, Any]


def only(objects: list[Object], kind: str, name: str = "arbiter") -> Object:
    """The one object of a kind and name."""
    (found,) = (
        found for found in objects if found["kind"] == kind and found["metadata"]["name"] == name
    )
    return found


@pytest.fixture(scope="session")
def settings(objects: list[Object], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The rendered configuration as the arbiter itself reads it; a fault in it fails here."""
    maps = [found["data"] for found in objects if found["kind"] == "ConfigMap"]
    (text,) = (data["arbiter.yaml"] for data in maps if "arbiter.yaml" in data)
    path = tmp_path_factory.mktemp("arbiter") / "arbiter.yaml"
    path.write_text(text)
    return load(path)


def test_the_arbiter_takes_its_configuration(settings: Settings, site: Object) -> None:
    written = [model for model in site["synapse_models"] if model["engine"] == "vllm"]
    assert [model.name for model in settings.models] == [model["name"] for model in written]
    assert [model.vram_gib for model in settings.models] == [model["vram_gib"] for model in written]


def test_the_pod_finds_what_the_configuration_names(
    objects: list[Object], settings: Settings
) -> None:
    spec = only(objects, "Deployment")["spec"]["template"]["spec"]
    mounted = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for file, name in (
        (settings.admin_token_file, ADMIN_SECRET),
        (settings.boot_secret_file, BOOT_SECRET),
    ):
        assert file is not None
        assert volumes[mounted[str(Path(file).parent)]]["secret"]["secretName"] == name


def test_every_audience_has_its_port_in_pod_and_service(
    objects: list[Object], settings: Settings
) -> None:
    spec = only(objects, "Deployment")["spec"]["template"]["spec"]
    ports = dict(settings.ports)
    shown = {port["name"]: port["containerPort"] for port in spec["containers"][0]["ports"]}
    assert shown == ports
    service = only(objects, "Service")["spec"]["ports"]
    assert {port["name"]: port["port"] for port in service} == ports
    assert all(port["targetPort"] == port["name"] for port in service)


def test_every_wrapper_is_told_where_to_ask_and_with_what(
    objects: list[Object], settings: Settings
) -> None:
    engines = [found for found in objects if found["kind"] == "StatefulSet"]
    assert len(engines) == len(settings.models)
    for engine in engines:
        spec = engine["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        command = container["command"]
        address = urlsplit(command[command.index("--arbiter") + 1])
        assert address.port == settings.ports.boot
        assert address.hostname in settings.hosts
        folder = str(Path(command[command.index("--secret-file") + 1]).parent)
        (mount,) = (one for one in container["volumeMounts"] if one["mountPath"] == folder)
        (volume,) = (one for one in spec["volumes"] if one["name"] == mount["name"])
        assert volume["secret"]["secretName"] == BOOT_SECRET


def test_stopping_takes_no_longer_than_the_pod_may(
    objects: list[Object], settings: Settings
) -> None:
    """Answers may take stop_s, and then a switch under way as long again."""
    grace_s = only(objects, "Deployment")["spec"]["template"]["spec"][
        "terminationGracePeriodSeconds"
    ]
    assert grace_s > 2 * settings.limits.stop_s


def test_it_may_replace_exactly_its_own_engines(objects: list[Object], settings: Settings) -> None:
    (rule,) = only(objects, "Role")["rules"]
    pods = [settings.recycle.pod.replace("{model}", model.name) for model in settings.models]
    assert rule == {
        "apiGroups": [""], "resources": ["pods"], "verbs": ["delete"], "resourceNames": pods
    }  # fmt: skip
    (subject,) = only(objects, "RoleBinding")["subjects"]
    account = only(objects, "ServiceAccount")["metadata"]
    assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])
    assert (
        only(objects, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "arbiter"
    )


def test_the_node_holds_one_image_for_gateway_and_arbiter(objects: list[Object]) -> None:
    images = {
        only(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"]
        for name in ("arbiter", "gateway")
    }
    assert len(images) == 1


def test_without_a_gpu_there_is_no_arbiter(without_a_gpu: list[Object]) -> None:
    assert [
        found
        for found in without_a_gpu
        if found["metadata"]["labels"]["synapse/owner"] == "arbiter"
    ] == []
