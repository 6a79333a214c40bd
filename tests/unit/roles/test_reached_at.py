"""How a server is reached is known as well where something is done for it on this machine."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAY = {
    "hosts": "server",
    "gather_facts": False,
    "vars_files": [str(ROOT / "roles/k3s/defaults/main.yml")],
    "tasks": [
        {
            "delegate_to": "localhost",
            "ansible.builtin.copy": {"content": "{{ k3s_reached_at }}", "dest": "{{ said }}"},
        }
    ],
}


@pytest.mark.parametrize(
    ("variables", "reached_at"),
    [
        ({"ansible_host": "192.0.2.1"}, "192.0.2.1"),
        ({"ansible_host": "192.0.2.1", "ansible_connection": "ssh"}, "192.0.2.1"),
        ({}, "forge"),
        ({"ansible_connection": "local"}, ""),
    ],
)
def test_the_servers_connection_counts_and_not_this_machines(
    tmp_path: Path, variables: dict[str, str], reached_at: str
) -> None:
    play, hosts, said = tmp_path / "play.yml", tmp_path / "hosts.yml", tmp_path / "said"
    play.write_text(json.dumps([SAY]))
    server = {"server": {"hosts": {"forge": variables}}}
    hosts.write_text(json.dumps({"all": {"children": server}}))
    command = ["ansible-playbook", f"--inventory={ROOT}/inventory/common", f"--inventory={hosts}"]
    done = subprocess.run(
        [*command, f"--extra-vars=said={said}", str(play)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert said.read_text() == reached_at
