"""docs/uninstall.md takes away what is deployed, and leaves what it says."""

import re
from pathlib import Path
from typing import Any

Object = dict[str, Any]
TEXT = (Path(__file__).parents[2] / "docs/uninstall.md").read_text()
# They hold models and keys; or they are the place itself, and belong to no namespace.
STAYS = {"PersistentVolumeClaim", "Secret", "Namespace", "PersistentVolume"}


def kinds(pattern: str) -> set[str]:
    """The kinds that one command of the page deletes."""
    (found,) = re.findall(pattern, TEXT)
    return set(found.split(","))


def rendered_kinds(objects: list[Object]) -> set[str]:
    return {found["kind"].lower() for found in objects if found["kind"] not in STAYS}


def test_the_command_for_everything_names_every_kind_that_is_deployed(
    objects: list[Object],
) -> None:
    # The device plugin is the server's, in a namespace of its own, and goes with that.
    plugin = "nvidia-device-plugin"
    assert f"`kubectl delete namespace {plugin}`" in TEXT
    ours = [one for one in objects if one["metadata"]["labels"]["synapse/owner"] != "device-plugin"]
    assert kinds(r"delete (deployment,statefulset,\S+) \\\n") == rendered_kinds(ours)


def test_the_command_for_ollama_names_every_kind_of_it(objects: list[Object]) -> None:
    owners = ("ollama", "model-fetcher")
    of_ollama = [one for one in objects if one["metadata"]["labels"]["synapse/owner"] in owners]
    command = rf"delete (\S+) -l 'synapse/owner in \({','.join(owners)}\)'"
    assert kinds(command) == rendered_kinds(of_ollama)


def test_every_claim_is_named(objects: list[Object]) -> None:
    claims = [one for one in objects if one["kind"] == "PersistentVolumeClaim"]
    named = {one["metadata"]["name"] for one in claims if "volumeName" not in one["spec"]}
    assert named == {"ollama", "vllm-models", "speech-models", "gateway-usage", "open-webui"}
    assert all(f"`{name}`" in TEXT for name in named)
