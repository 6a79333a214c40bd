"""Render the real site.yml once, for a site that uses everything."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SITE = ROOT / "tests/fixtures/site.yml"
RENDER_LIMIT_S = 100
PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"

Object = dict[str, Any]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with one file per component."""
    folder = tmp_path_factory.mktemp("rendered")
    switches = json.dumps({"kube_objects_apply": False, "kube_objects_render_dir": str(folder)})
    ended = subprocess.run(
        [str(PLAYBOOK), "site.yml", "-e", f"@{SITE}", "-e", switches],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "KUBECONFIG": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=RENDER_LIMIT_S,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    return folder


@pytest.fixture(scope="session")
def objects(rendered: Path) -> list[Object]:
    """Every rendered object."""
    texts = [file.read_text() for file in sorted(rendered.glob("*.yaml"))]
    return [found for text in texts for found in yaml.safe_load_all(text)]


@pytest.fixture(scope="session")
def workloads(objects: list[Object]) -> list[Object]:
    """Every object that makes pods."""
    return [found for found in objects if "template" in found.get("spec", {})]


@pytest.fixture(scope="session")
def site() -> Object:
    """What the user wrote."""
    written: Object = yaml.safe_load(SITE.read_text())
    return written
