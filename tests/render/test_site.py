"""Whatever a site says is found in what is rendered, whichever command renders it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from two_releases import copy_checkout, lend_tools

from .facts import FOUND, facts_in

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
NINETEEN = ROOT / "tests/fixtures/sites/nineteen-facts/group_vars/all"
LIMIT_S = 240
SITE: Object = {
    "synapse_namespace": "ai-house",
    "synapse_kubeconfig": "/nowhere/else.yaml",
    "synapse_memory_gib": 400,
    "synapse_gpus": [{"vram_gib": 33.5}],
    "synapse_gpu_store_gib": 123,
    "synapse_storage_class": "fast-disk",
    "synapse_gateway_port": 8123,
    "synapse_gateway_service_type": "NodePort",
    "synapse_gateway_node_port": 30123,
    "synapse_gateway_ingress": {"host": "ai.example.org", "tls_secret": "house"},
    "synapse_gateway_url": "https://house.example.org:8443",
    "synapse_lan_hosts": [{"address": "192.0.2.30", "port": 5001}],
    "synapse_api_servers": [{"address": "192.0.2.31", "port": 6444}],
    "synapse_model_files_path": "/srv/other",
    "synapse_cpu_cores": 7,
    "synapse_cpu_memory_gib": 21,
    "synapse_cpu_parallel_requests": 5,
    "synapse_cpu_loaded_models": 6,
    "synapse_cpu_store_gib": 77,
    "synapse_keep_alive": "17m",
    "synapse_speech_cpu_cores": 3,
    "synapse_speech_memory_gib": 9,
    "synapse_speech_store_gib": 31,
}
OTHER: Object = SITE | {
    "synapse_gpus": [{"vram_gib": 34}],
    "synapse_gateway_port": 8124,
    "synapse_cpu_cores": 6,
    "synapse_speech_memory_gib": 10,
}


def in_objects(site: Object) -> Object:
    """The facts of a site that stand in objects."""
    return {name: value for name, value in site.items() if name in FOUND}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of its own, with a site that `make init` made and a user has edited."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder)
    make(folder, "init", "SITE=mine")
    platform = folder / "inventory/mine/group_vars/all/platform.yml"
    platform.write_text(yaml.safe_dump(SITE))
    return folder


def make(folder: Path, *words: str) -> str:
    """Run make in a checkout whose environment is there already."""
    return run(folder, "make", *words)


def run(folder: Path, *command: str) -> str:
    """Run one command in a checkout as a user would."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE")
    }
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]
    return ended.stdout


def objects_in(folder: Path) -> list[Object]:
    """Every object that was rendered into a folder."""
    texts = [file.read_text() for file in sorted(folder.rglob("*.yaml"))]
    return [one for text in texts for one in yaml.safe_load_all(text) if one and "kind" in one]


def switches(folder: Path) -> list[str]:
    """The arguments that render into a folder."""
    folder.mkdir()
    told = {"kube_objects_apply": False, "kube_objects_render_dir": str(folder)}
    return ["-e", json.dumps(told)]


ON_THE_SERVER = {
    "synapse_enforce", "synapse_open_ports", "synapse_api_clients", "synapse_proxy",
    "synapse_disks",
}  # fmt: skip
"""Set up by roles on the server, tested in tests/host; no object in the cluster has them."""


def test_the_facts_that_are_looked_for_are_all_there_are() -> None:
    defaults = yaml.safe_load((ROOT / "group_vars/all/defaults.yml").read_text())
    assert set(SITE) | ON_THE_SERVER == set(defaults)
    assert set(SITE) - set(FOUND) == {"synapse_kubeconfig", "synapse_memory_gib"}
    assert not [name for name, value in defaults.items() if value == SITE.get(name, ...)]


def test_make_renders_what_the_site_says(checkout: Path) -> None:
    make(checkout, "render")
    assert facts_in(objects_in(checkout / ".render")) == in_objects(SITE)


def test_single_playbooks_and_site_yml_render_what_the_site_says(
    checkout: Path, tmp_path: Path
) -> None:
    one, all_at_once = switches(tmp_path / "one"), switches(tmp_path / "all")
    for playbook in sorted((checkout / "playbooks").glob("*.yml")):
        run(checkout, "ansible-playbook", f"playbooks/{playbook.name}", *one)
    run(checkout, "ansible-playbook", "site.yml", *all_at_once)
    assert facts_in(objects_in(tmp_path / "one")) == in_objects(SITE)
    assert objects_in(tmp_path / "one") == objects_in(tmp_path / "all")


def test_the_command_line_beats_the_site(checkout: Path, tmp_path: Path) -> None:
    into = switches(tmp_path / "rendered")
    run(checkout, "ansible-playbook", "site.yml", *into, "-e", json.dumps(OTHER))
    assert facts_in(objects_in(tmp_path / "rendered")) == in_objects(OTHER)


def test_every_role_goes_to_the_cluster_that_the_site_names(checkout: Path) -> None:
    for name in ("kube_objects_kubeconfig", "ollama_kubeconfig", "speech_kubeconfig"):
        told = run(checkout, "ansible", "localhost", "-m", "debug", "-a", f"var={name}")
        assert SITE["synapse_kubeconfig"] in told


def test_a_site_with_every_fact_written_still_means_what_it_meant(
    checkout: Path, tmp_path: Path
) -> None:
    texts = [file.read_text() for file in sorted(NINETEEN.glob("*.yml"))]
    written = {name: value for text in texts for name, value in yaml.safe_load(text).items()}
    inventory = ["-i", "inventory/common", "-i", str(NINETEEN.parents[1])]
    into = switches(tmp_path / "rendered")
    run(checkout, "ansible-playbook", *inventory, "site.yml", *into)
    objects = objects_in(tmp_path / "rendered")
    found = facts_in(objects)
    assert {name: found[name] for name in in_objects(written)} == in_objects(written)
    maps = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
    (text,) = [data["gateway.yaml"] for data in maps if "gateway.yaml" in data]
    gateway = yaml.safe_load(text)
    assert [one["name"] for one in gateway["models"]] == [
        one["name"] for one in written["synapse_models"]
    ]
    assert gateway["aliases"] == written["synapse_aliases"]
    for served, app in zip(gateway["apps"], written["synapse_apps"], strict=True):
        assert served.items() >= app.items()
    engines = [one["metadata"]["name"] for one in objects if one["kind"] == "StatefulSet"]
    assert engines == [
        f"vllm-{one['name']}" for one in written["synapse_models"] if one["engine"] == "vllm"
    ]


def test_a_later_version_is_pulled_without_a_conflict(checkout: Path, tmp_path: Path) -> None:
    def git(folder: Path, *words: str) -> str:
        who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
        return run(folder, "git", *who, *words)

    upstream, mine = tmp_path / "upstream", tmp_path / "mine"
    copy_checkout(upstream)
    git(upstream, "init", "--quiet", "--initial-branch=main")
    git(upstream, "add", "--all")
    git(upstream, "commit", "--quiet", "--message=first")
    git(tmp_path, "clone", "--quiet", str(upstream), str(mine))
    lend_tools(mine)
    make(mine, "init", "SITE=mine")
    folder = mine / "inventory/mine/group_vars/all"
    edits = {
        "platform.yml": "\nsynapse_cpu_cores: 5\n",
        "models.yml": "\n  - {name: more, engine: ollama, source: more:1b}\n",
        "aliases.yml": "\n  - {name: further, model: more}\n",
    }
    for file, more in edits.items():
        text = (folder / file).read_text().replace("synapse_cpu_cores: 28\n", "")
        (folder / file).write_text(text + more)
    assert git(mine, "status", "--porcelain") == ""
    for path in upstream.glob("inventory/examples/*/group_vars/all/*.yml"):
        path.write_text(f"{path.read_text()}\n# A later version says more.\n")
    defaults = upstream / "group_vars/all/defaults.yml"
    defaults.write_text(
        defaults.read_text().replace("synapse_cpu_store_gib: 100", "synapse_cpu_store_gib: 111")
    )
    git(upstream, "commit", "--quiet", "--all", "--message=later")
    git(mine, "pull", "--quiet", "--ff-only")
    assert git(mine, "status", "--porcelain") == ""
    make(mine, "render")
    facts = facts_in(objects_in(mine / ".render"))
    assert (facts["synapse_cpu_cores"], facts["synapse_cpu_store_gib"]) == (5, 200)
