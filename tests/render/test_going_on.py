"""From the first model on a play that fails stops no later one, and the run fails at its end."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from .conftest import PLAYBOOK, RENDER_LIMIT_S, ROOT, SITE

GONE = "Destination directory"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Render into a folder that is not there: the task that writes fails."""
    nowhere = {"kube_objects_apply": False, "kube_objects_render_dir": str(folder / "nowhere")}
    return subprocess.run(
        [str(PLAYBOOK), *arguments, "-e", f"@{SITE}", "-e", json.dumps(nowhere)],
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
        check=False,
    )


def test_later_plays_run_and_all_that_failed_is_named_at_the_end(tmp_path: Path) -> None:
    ended = run(tmp_path, "site.yml", "--tags", "speech,chat")
    assert ended.returncode != 0
    last = ended.stdout.rpartition("fatal: [localhost]")[2]
    assert last.count(GONE) == 2, "one for each of the two plays"
    assert "its one address is" in ended.stdout, "the summary came all the same"


def test_what_the_first_answer_needs_still_stops_the_run(tmp_path: Path) -> None:
    ended = run(tmp_path, "site.yml", "--tags", "gateway,chat")
    assert ended.returncode != 0
    assert "Deploy the page" not in ended.stdout


@pytest.mark.parametrize("playbook", ["speech", "chat", "vllm", "models"])
def test_a_single_playbook_fails_at_once(tmp_path: Path, playbook: str) -> None:
    ended = run(tmp_path, f"playbooks/{playbook}.yml")
    assert ended.returncode != 0
    assert GONE in ended.stdout
