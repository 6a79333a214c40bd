"""What doctor says of the server in hosts.yml, and of one that tells nothing.

Of the acceptance lines: 17 (the question of sudo-rs is not waited for without a word).
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from host_facts_of import facts, forge, with_system
from synapse_cli.doctor.ask import ask_servers
from synapse_cli.doctor.server import Asked, servers
from synapse_common.finding import Finding
from synapse_host.facts import HostFacts

SITE: dict[str, Any] = {"synapse_gpus": [], "synapse_models": []}


def told(there: HostFacts) -> dict[str, Any]:
    """What Ansible's module returns of a server."""
    raw = asdict(there)
    raw["k3s"]["config_files"] = []
    return {"changed": False, "facts": raw}


def found(answer: dict[str, Any], site: dict[str, Any] = SITE) -> list[Finding]:
    return [*servers(Asked({"forge": answer}), site)]


def test_the_rules_speak_of_a_server_and_then_of_its_gpu() -> None:
    seen = found(told(with_system(forge(), swap_gib=8.0)))
    assert (seen[0].what, seen[0].seen) == ("forge", "192.168.1.10")
    assert [one.what for one in seen if one.is_note and one.what == "swap"]
    places = [one.place for one in seen]
    assert places == sorted(places, key=["server", "gpu"].index)
    assert "gpu" in places


def test_no_server_is_no_fault() -> None:
    (one,) = servers(Asked(), SITE)
    assert one.seen == "no server in hosts.yml: somebody else sees to it"
    assert one.level == "ok"


def test_two_servers_are_one_too_many_and_both_are_looked_at() -> None:
    seen = [*servers(Asked({"a": told(facts()), "b": told(facts())}), SITE)]
    assert "leave one in the group" in seen[0].remedy
    assert {"a", "b"} <= {one.what for one in seen}


def test_memory_is_compared_before_there_is_a_cluster() -> None:
    site = SITE | {
        "synapse_models": [{"name": "small", "engine": "ollama"}],
        "synapse_cpu_memory_gib": 90,
    }
    (one,) = [one for one in found(told(facts()), site) if one.what == "memory"]
    assert one.level == "wrong"
    assert "synapse_memory_gib: 62 into platform.yml" in one.remedy
    assert not [one for one in found(told(forge()), site) if one.what == "memory"]


def test_facts_of_another_version_are_told_as_such() -> None:
    (one,) = found({"facts": {"system": 3}})
    assert one.seen == "facts not understood"
    assert "system is 3" in one.remedy


@pytest.mark.parametrize(
    ("said", "seen", "remedy"),
    [
        ("Failed to connect to the host via ssh: ... port 22: Connection refused",
         "not reached", "does `ssh USER@ADDRESS` work"),
        ("Failed to connect to the host via ssh: ... Connection timed out",
         "not reached", "Is it on"),
        ("Unable to execute ssh command line on a controller.",
         "not asked: no ssh here", "sudo apt install openssh-client"),
        ("... Could not resolve hostname forge: Name or service not known",
         "not reached: unknown name", "ansible_host: 192.168.1.10"),
        ("... Host key verification failed.",
         "not reached: unknown host key", "`ssh USER@ADDRESS`"),
        ("... ada@forge: Permission denied (publickey,password).",
         "not reached: ssh refused the key", "ssh-copy-id USER@ADDRESS"),
        ("Task failed: Missing sudo password", "sudo wants a password",
         "export ANSIBLE_BECOME_ASK_PASS=true"),
        ("Task failed: Premature end of stream waiting for become success.\n>>> Standard Error\n"
         "sudo: a password is required", "sudo wants a password", "ANSIBLE_BECOME_ASK_PASS"),
        ("Task failed: Incorrect sudo password", "sudo refused the password", "Type it again"),
        ("Timeout (12s) waiting for privilege escalation prompt: ",
         "sudo's question was not understood", "ansible_become_exe: sudo.ws"),
        ("Timed out waiting for become success or become password prompt.",
         "sudo's question was not understood", "sudo-rs"),
        ("... ada is not in the sudoers file.", "sudo is not allowed", "usermod -aG sudo"),
        ("Premature end of stream waiting for become success. sudo: not found",
         "sudo did not start", "ansible_user: root"),
        ("The module interpreter '/usr/bin/python3' was not found.", "no Python there",
         "sudo apt install python3"),
        ("Something new.", "told nothing", "Ansible said: Something new."),
    ],
)  # fmt: skip
def test_a_server_that_tells_nothing_is_told_in_a_sentence(
    said: str, seen: str, remedy: str
) -> None:
    (one,) = found({"msg": said, "unreachable": True})
    assert one.seen == seen
    assert remedy in one.remedy
    assert one.level == "wrong"


def inventory(folder: Path, servers: str) -> str:
    """An inventory with these hosts in the group `server`."""
    (folder / "hosts.yml").write_text(f"{{all: {{children: {{server: {{hosts: {servers}}}}}}}}}")
    return f"{folder}/hosts.yml"


def test_ansible_asks_every_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    local = "ansible_connection: local, ansible_become: false"
    here = f"here: {{{local}, ansible_python_interpreter: {sys.executable}}}"
    gone = "gone: {ansible_host: 127.0.0.1, ansible_port: 1}"
    bare = f"bare: {{{local}, ansible_python_interpreter: /nowhere/python3}}"
    there = inventory(tmp_path, f"{{{here}, {gone}, {bare}}}")
    monkeypatch.setenv("ANSIBLE_INVENTORY", there)
    seen = [*servers(ask_servers({"synapse_disks": {"models": f"{tmp_path}"}}), SITE)]
    by_name = {one.what: one for one in seen}
    assert by_name["gone"].seen == ("not reached" if which("ssh") else "not asked: no ssh here")
    assert by_name["bare"].seen == "no Python there"
    assert by_name["here"].level == "ok"
    assert "system" in by_name


@pytest.mark.parametrize(("servers", "fault"), [("{}", ""), ("{", "Ansible asked nobody: ")])
def test_an_inventory_without_servers_is_no_fault_and_a_broken_one_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, servers: str, fault: str
) -> None:
    monkeypatch.setenv("ANSIBLE_INVENTORY", inventory(tmp_path, servers))
    asked = ask_servers({})
    assert not asked.answers
    assert asked.fault.startswith(fault)
    assert bool(asked.fault) == bool(fault)
