"""K3s is restarted where a file changed that it reads and where that is allowed, else never."""

import json
from typing import Any

import pytest

from k3s_server.machine import MARK, Machine, file
from k3s_server.release import tree
from role_modules import module

DROP_IN = "/etc/rancher/k3s/config.yaml.d/50-synapse.yaml"


def start(machine: Machine, *, check: bool = False, **changes: Any) -> Any:
    """Run the module on a server whose K3s runs, and was here before."""
    args = {"is_ours": False, "may_restart": False, "files": [], "secret_files": [], **changes}
    args["secret_files"] = json.dumps(args["secret_files"])
    made = module("k3s", "k3s_start").Starting(args, machine.root, machine.run)
    made.go(check=check)
    return made


@pytest.fixture
def adopted(machine: Machine) -> Machine:
    """A server on which somebody installed K3s."""
    machine.deploy()
    machine.commands, machine.starts = [], 0
    return machine


def test_an_adopted_k3s_is_left_alone_where_nothing_is_enforced(adopted: Machine) -> None:
    before = tree(adopted.root)
    made = start(adopted, files=[file(DROP_IN, None, "", restarts=False)])
    assert made.done == []
    assert adopted.commands == []
    assert tree(adopted.root) == before


def test_an_adopted_k3s_restarts_once_for_what_the_site_enforces(adopted: Machine) -> None:
    files = [file(DROP_IN, "protect-kernel-defaults: true\n")]
    assert start(adopted, files=files, may_restart=True).done == [
        "note the restart",
        f"write {DROP_IN}",
        "start k3s",
    ]
    assert start(adopted, files=files, may_restart=True).done == []
    assert adopted.starts == 1


def test_no_file_restarts_a_k3s_where_that_is_not_allowed(adopted: Machine) -> None:
    made = start(adopted, files=[file(DROP_IN, "a: 1\n")])
    assert f"write {DROP_IN}" in made.done
    assert adopted.commands == []


def test_what_is_enforced_no_more_goes_without_a_restart(adopted: Machine) -> None:
    start(adopted, files=[file(DROP_IN, f"{MARK}a: 1\n")], may_restart=True)
    made = start(adopted, files=[file(DROP_IN, None, "", restarts=False)])
    assert made.done == [f"remove {DROP_IN}"]
    assert adopted.starts == 1


def test_systemd_reads_its_units_again_only_where_ours_changed(adopted: Machine) -> None:
    adopted.files[0] = file("/etc/rancher/k3s/config.yaml", "a: 2\n")
    adopted.deploy()
    assert adopted.commands == ["restart --no-block k3s"]
    adopted.files[1] = file(adopted.files[1]["path"], "v\n", "0644")
    adopted.deploy()
    assert adopted.commands[1:] == ["daemon-reload", "restart --no-block k3s"]


def test_a_k3s_of_somebody_else_that_is_stopped_is_not_started(adopted: Machine) -> None:
    adopted.is_active = False
    assert start(adopted).done == []


def test_a_mode_that_was_opened_is_closed_again(adopted: Machine) -> None:
    place = adopted.root / "etc/rancher/k3s/config.yaml"
    place.chmod(0o644)
    adopted.deploy()
    assert place.stat().st_mode & 0o777 == 0o600


def test_a_folder_is_made_with_its_mode(machine: Machine) -> None:
    folder = file("/var/lib/rancher/k3s/server/logs", None, "0700", restarts=False)
    assert start(machine, files=[folder]).done == [f"write {folder['path']}"]
    made = machine.root / "var/lib/rancher/k3s/server/logs"
    assert made.stat().st_mode & 0o777 == 0o700
    assert start(machine, files=[folder]).done == []


def test_a_diff_shows_what_a_file_becomes_and_nothing_of_those_with_secrets(
    adopted: Machine,
) -> None:
    made = start(
        adopted,
        check=True,
        files=[file("/etc/rancher/k3s/config.yaml", "a: 2\n")],
        secret_files=[file("/etc/rancher/k3s/registries.yaml", f"{MARK}password: y\n")],
    )
    assert [(one["before"], one["after"]) for one in made.diff] == [("a: 1\n", "a: 2\n")]
    assert "write /etc/rancher/k3s/registries.yaml" in made.done
    assert "password: y" not in (adopted.root / "etc/rancher/k3s/registries.yaml").read_text()
    assert adopted.commands == []


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    loaded = module("k3s", "k3s_start")
    with pytest.raises(loaded.K3sError, match=r"^ls /no-such failed: .*No such file"):
        loaded.run_here("ls", "/no-such")


REGISTRIES = "/etc/rancher/k3s/registries.yaml"


def test_a_file_that_its_owner_wrote_is_neither_removed_nor_overwritten(machine: Machine) -> None:
    place = machine.root / REGISTRIES.lstrip("/")
    place.parent.mkdir(parents=True)
    place.write_text("mirrors: {}\n")
    assert start(machine, secret_files=[file(REGISTRIES, None, "")]).done == []
    refused = module("k3s", "k3s_start").K3sError
    with pytest.raises(refused, match=r"registries\.yaml was not written by Synapse"):
        start(machine, secret_files=[file(REGISTRIES, f"{MARK}mirrors: {{a: {{}}}}\n")])
    assert place.read_text() == "mirrors: {}\n"
