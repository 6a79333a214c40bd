"""The bridge of Home Assistant is there where a site asks for it, and nothing of it elsewhere."""

from collections.abc import Callable
from typing import Any

import yaml

Object = dict[str, Any]


def apps(objects: list[Object]) -> dict[str, list[str]]:
    """The applications that the gateway knows, with their models."""
    maps = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
    (text,) = [data["gateway.yaml"] for data in maps if "gateway.yaml" in data]
    return {app["name"]: app["models"] for app in yaml.safe_load(text)["apps"]}


def of_the_bridge(objects: list[Object]) -> list[str]:
    """The kinds of the objects that belong to it."""
    name = "app.kubernetes.io/name"
    return [one["kind"] for one in objects if one["metadata"]["labels"][name] == "wyoming"]


def test_a_site_that_asks_for_it_has_it_with_an_application_of_its_own(
    objects: list[Object],
) -> None:
    assert sorted(of_the_bridge(objects)) == ["Deployment", "NetworkPolicy", "Service"]
    assert apps(objects)["home-assistant"] == ["hear", "hear-small", "voice", "voice-de"]


def test_a_site_that_does_not_has_nothing_of_it(
    render_again: Callable[..., list[Object]], site: Object
) -> None:
    without = {name: value for name, value in site.items() if name != "speech_wyoming"}
    found = render_again(without, "--tags", "gateway,speech")
    assert of_the_bridge(found) == []
    assert "home-assistant" not in apps(found)
    assert "10300" not in str(found)
