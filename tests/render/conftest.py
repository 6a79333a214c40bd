"""Render the real site.yml once, for a site that uses everything."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SITE = ROOT / "tests/fixtures/site.yml"
RENDER_LIMIT_S = 240  # of one rendering; twelve seconds where nothing else runs
TEST_LIMIT_S = 600
PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"

Object = dict[str, Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever renders may take long on a machine on which other tests run too."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TEST_LIMIT_S))


def render(folder: Path, site: Object, *arguments: str) -> list[Object]:
    """Run the real site.yml for this site; return every object it writes into the folder."""
    folder.mkdir(exist_ok=True)
    written = yaml.safe_dump(site, sort_keys=False)  # a day stays one, as users write it
    (folder / "site.yml").write_text(written)
    switches = json.dumps({"kube_objects_apply": False, "kube_objects_render_dir": str(folder)})
    command = [str(PLAYBOOK), "site.yml", "-e", f"@{folder}/site.yml", "-e", switches, *arguments]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_INVENTORY": str(ROOT / "inventory/common"),
            "KUBECONFIG": "/nowhere",
        },
        capture_output=True,
        text=True,
        timeout=RENDER_LIMIT_S,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    texts = [file.read_text() for file in sorted(folder.glob("*.yaml"))]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory, site: Object) -> Path:
    """The folder with one file per component."""
    folder = tmp_path_factory.mktemp("rendered")
    render(folder, site)
    return folder


@pytest.fixture(scope="session")
def objects(rendered: Path) -> list[Object]:
    """Every rendered object."""
    texts = [file.read_text() for file in sorted(rendered.glob("*.yaml"))]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


@pytest.fixture(scope="session")
def render_again(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Object]]:
    """Render another site, given as its variables, with further arguments of ansible-playbook."""
    return lambda site, *arguments: render(tmp_path_factory.mktemp("again"), site, *arguments)


@pytest.fixture(scope="session")
def without_a_gpu(render_again: Callable[..., list[Object]], site: Object) -> list[Object]:
    """Every object of the same site with one line changed: it has no GPU."""
    return render_again({**site, "synapse_gpus": []})


@pytest.fixture(scope="session")
def workloads(objects: list[Object]) -> list[Object]:
    """Every object that makes pods."""
    return [found for found in objects if "template" in found.get("spec", {})]


@pytest.fixture(scope="session")
def site() -> Object:
    """What the user wrote."""
    written: Object = yaml.safe_load(SITE.read_text())
    return written
