"""`make init HOST=...`: the site names its server, and nothing is guessed that can be found."""

import io
import subprocess
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from synapse_cli.find import FILE
from synapse_cli.host import HOSTS
from synapse_cli.init import InitError, init

PLATFORM = "group_vars/all/platform.yml"
SERVER = {"forge": {"ansible_host": "192.168.1.10", "ansible_user": "me"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with an example that guesses a server."""
    example = tmp_path / "inventory/examples/large"
    (example / PLATFORM).parent.mkdir(parents=True)
    (example / PLATFORM).write_text("---\nsynapse_memory_gib: 182\nsynapse_cpu_memory_gib: 56\n")
    (example / HOSTS).write_text("---\n# Why.\nall: {}\n")
    (tmp_path / "inventory/common").mkdir()
    return tmp_path


def made(root: Path, host: str = "", name: str = "forge") -> str:
    """Run the command; return what it says."""
    console = Console(file=io.StringIO(), width=200)
    assert init(name, "large", console, root, host=host) == 0
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def servers(root: Path) -> object:
    return yaml.safe_load((root / "inventory/forge" / HOSTS).read_text())["all"]


def state(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_server_and_its_kubeconfig_are_in_the_first_commit(root: Path) -> None:
    told = made(root, "me@192.168.1.10")
    site = root / "inventory/forge"
    assert servers(root) == {"children": {"server": {"hosts": SERVER}}}
    assert (site / HOSTS).read_text().startswith("---\n# Why.\nall:\n")
    assert yaml.safe_load((site / FILE).read_text()) == {
        "synapse_kubeconfig": "~/.kube/synapse/forge.yaml"
    }
    assert (site / PLATFORM).read_text() == "---\nsynapse_cpu_memory_gib: 56\n"
    git = ["git", "-C", str(site), "status", "--porcelain"]
    assert subprocess.run(git, capture_output=True, text=True).stdout == ""
    assert "Its server is 192.168.1.10 (inventory/forge/hosts.yml). make find writes" in told
    assert "edit them, then make site brings the server to its first answer" in told
    left = {path.name for path in site.iterdir()}
    assert left == {".git", ".gitignore", "group_vars", HOSTS}


def test_without_a_host_the_example_stays_as_it_is(root: Path) -> None:
    made(root)
    assert servers(root) == {}
    assert not (root / "inventory/forge" / FILE).exists()
    assert "synapse_memory_gib: 182" in (root / "inventory/forge" / PLATFORM).read_text()


def test_a_site_without_a_server_gets_one_and_keeps_what_was_typed(root: Path) -> None:
    made(root)
    assert "was there already" in made(root, "me@192.168.1.10")
    assert servers(root) == {"children": {"server": {"hosts": SERVER}}}
    assert "synapse_memory_gib: 182" in (root / "inventory/forge" / PLATFORM).read_text()


def test_what_hosts_yml_says_of_others_stays(root: Path) -> None:
    made(root)
    theirs = {"vars": {"ansible_ssh_common_args": "-J gate"}, "children": {"nas": {"hosts": {}}}}
    file = root / "inventory/forge" / HOSTS
    file.write_text("---\n# Mine.\n" + yaml.safe_dump({"all": theirs, "attic": {"vars": {"a": 1}}}))
    made(root, "me@192.168.1.10")
    children = {"nas": {"hosts": {}}, "server": {"hosts": SERVER}}
    assert servers(root) == theirs | {"children": children}
    assert "attic:" in file.read_text()
    assert file.read_text().startswith("---\n# Mine.\n")


def test_the_same_server_again_changes_nothing_and_another_is_refused(root: Path) -> None:
    made(root, "me@192.168.1.10")
    before = state(root)
    made(root, "me@192.168.1.10")
    assert state(root) == before
    with pytest.raises(InitError, match=r"inventory/forge/hosts\.yml names its server already"):
        made(root, "me@192.168.1.11")
    assert state(root) == before


def test_what_was_written_beside_the_server_stays(root: Path) -> None:
    made(root, "me@192.168.1.10")
    file = root / "inventory/forge" / HOSTS
    file.write_text(file.read_text() + "          ansible_become_exe: sudo.ws\n# Mine.\n")
    before = state(root)
    made(root, "me@192.168.1.10")
    assert state(root) == before


def test_every_fault_is_told_at_once_and_nothing_is_made(root: Path) -> None:
    before = state(root)
    with pytest.raises(InitError) as refused:
        made(root, "a b@forge:ssh", name="Forge")
    first, second, third = str(refused.value).splitlines()
    assert first.startswith("SITE=Forge: is no name for a site")
    assert (second, third[:26]) == (
        'HOST=a b@forge:ssh: "a b" is no name of a user.', 'HOST=a b@forge:ssh: "ssh" '
    )  # fmt: skip
    assert state(root) == before


def test_the_examples_gpu_is_believed_until_its_driver_tells(root: Path) -> None:
    platform = root / "inventory/examples/large" / PLATFORM
    platform.write_text("---\nsynapse_gpus:\n  - vram_gib: 31.4\n")
    made(root, "me@192.168.1.10")
    site = root / "inventory/forge"
    assert yaml.safe_load((site / FILE).read_text())["synapse_gpus"] == [{"vram_gib": 31.4}]
    assert "synapse_gpus" not in (site / PLATFORM).read_text()
