"""The chat page is there where a site asks for it, and nothing of it elsewhere."""

from collections.abc import Callable
from typing import Any

import yaml

Object = dict[str, Any]
KINDS = ["Deployment", "Ingress", "NetworkPolicy", "PersistentVolumeClaim", "Service"]


def apps(objects: list[Object]) -> dict[str, Object]:
    """The applications that the gateway knows."""
    maps = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
    (text,) = [data["gateway.yaml"] for data in maps if "gateway.yaml" in data]
    return {app["name"]: app for app in yaml.safe_load(text)["apps"]}


def of_the_page(objects: list[Object]) -> list[str]:
    """The kinds of the objects that belong to it."""
    name = "app.kubernetes.io/component"
    return sorted(one["kind"] for one in objects if one["metadata"]["labels"][name] == "chat")


def test_a_site_that_asks_for_it_has_it_with_applications_of_its_own(
    objects: list[Object],
) -> None:
    assert of_the_page(objects) == KINDS
    found = apps(objects)
    assert found["open-webui"]["lists"] == ["chat", "brief"]
    assert {"chat", "embed", "whisper-1", "tts-1"} <= set(found["open-webui"]["models"])
    assert "cloud" not in found["open-webui"]["models"]
    assert found["open-webui-tasks"]["models"] == ["brief"]
    assert not found["open-webui"]["may_leave"]


def test_its_environment_refers_to_the_keys_of_both(objects: list[Object]) -> None:
    (page,) = (one for one in objects if one["kind"] == "Deployment" and of_the_page([one]))
    (container,) = page["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one for one in container["env"]}
    assert told["OPEN_WEBUI_KEY"]["valueFrom"]["secretKeyRef"] == {
        "name": "gateway-app-keys",
        "key": "open-webui",
    }
    assert told["OPENAI_API_BASE_URLS"]["value"].split(";")[0] == "http://gateway:8000/v1"
    assert "sk-synapse" not in str(page)


def test_a_site_that_does_not_has_nothing_of_it(
    render_again: Callable[..., list[Object]], site: Object
) -> None:
    without = {name: value for name, value in site.items() if not name.startswith("chat_")}
    found = render_again(without, "--tags", "gateway,chat")
    assert of_the_page(found) == []
    assert not {"open-webui", "open-webui-tasks"} & apps(found).keys()
