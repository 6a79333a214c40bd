"""Every command line that is rendered is one that the pinned vLLM understands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from real_vllm import Installation
from real_vllm.installation import parse, pinned_version

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "inventory/examples").iterdir() if path.is_dir())
RENDER_LIMIT_S = 240


def test_the_version_under_test_is_the_one_that_is_shipped() -> None:
    versions = yaml.safe_load((ROOT / "group_vars/all/versions.yml").read_text())
    assert f":v{pinned_version()}" in versions["synapse_images"]["vllm"]


def command_lines(example: str, folder: Path) -> list[list[str]]:
    """What follows `vllm serve` for each engine of an example site."""
    switches = json.dumps({"kube_objects_apply": False, "kube_objects_render_dir": str(folder)})
    inventory = f"inventory/common,inventory/examples/{example}"
    subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "site.yml", "-e", switches],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_INVENTORY": inventory, "KUBECONFIG": "/nowhere"},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=RENDER_LIMIT_S,
    )
    objects = [
        each for file in folder.glob("*.yaml") for each in yaml.safe_load_all(file.read_text())
    ]
    commands = [
        each["spec"]["template"]["spec"]["containers"][0]["command"]
        for each in objects
        if each and each["kind"] == "StatefulSet"
    ]
    return [command[command.index("serve") + 1 :] for command in commands]


def test_all_command_lines_of_the_examples_parse(
    installation: Installation, tmp_path: Path
) -> None:
    found = []
    for example in EXAMPLES:
        folder = tmp_path / example
        folder.mkdir()
        found += command_lines(example, folder)
    assert found
    parse(installation, found, tmp_path)


def test_a_word_that_vllm_does_not_know_is_refused(
    installation: Installation, tmp_path: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        parse(installation, [["some/model", "--no-such-option=1"]], tmp_path)
