"""How `make init HOST=...` names a server, and what it takes out of the example for it."""

from pathlib import Path

import pytest
import yaml

from synapse_cli.host import Host, HostError, hosts_text, parsed, servers_of, without_found

EXAMPLES = Path(__file__).parents[3] / "inventory/examples"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("forge", Host("forge")),
        ("me@192.168.1.10", Host("192.168.1.10", "me")),
        ("me@forge.lan:2222", Host("forge.lan", "me", 2222)),
        ("fd00::10", Host("fd00::10")),
        ("me@[fd00::10]:2222", Host("fd00::10", "me", 2222)),
        ("localhost", Host("localhost")),
    ],
)
def test_a_server_as_people_write_it(text: str, host: Host) -> None:
    assert parsed(text) == host


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("@forge", '"" is no name of a user'),
        ("a b@forge", '"a b" is no name of a user'),
        ("me@", '"" is no name and no address of a server'),
        ("192.168.1.300", '"192.168.1.300" is no name and no address'),
        ("-oProxyCommand=x", "is no name and no address"),
        ("forge:ssh", '"ssh" is no port'),
        ("forge:70000", '"70000" is no port'),
        ("me@[forge]", '"forge" is no name and no address'),
        ("ssh://me@forge", '"ssh://me" is no name of a user'),
        ("[fd00::10", "is no server; write it as me@192.168.1.10"),
        ("me@localhost", "this machine is reached without ssh; write HOST=localhost"),
    ],
)
def test_what_is_no_server_is_refused(text: str, odd: str) -> None:
    with pytest.raises(HostError) as refused:
        parsed(text)
    assert odd in str(refused.value)


def test_every_fault_has_a_line() -> None:
    with pytest.raises(HostError) as refused:
        parsed("a b@300.1.1.1:x")
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("host", "variables"),
    [
        (Host("10.0.0.2"), {"ansible_host": "10.0.0.2"}),
        (Host("10.0.0.2", "me", 2222),
         {"ansible_host": "10.0.0.2", "ansible_user": "me", "ansible_port": 2222}),
        (Host("localhost"), {"ansible_connection": "local",
                             "ansible_python_interpreter": "{{ ansible_playbook_python }}"}),
    ],
)  # fmt: skip
def test_the_inventory_has_what_ansible_needs(
    host: Host, variables: dict[str, object], tmp_path: Path
) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text(hosts_text("forge", host, "---\n# Mine.\n"))
    assert file.read_text().startswith("---\n# Mine.\nall:\n")
    assert servers_of(file) == {"forge": variables}


@pytest.mark.parametrize("text", ["- a\n", "all: [1]\n", "a: {\n"])
def test_an_inventory_that_cannot_be_read_is_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text(text)
    with pytest.raises(HostError, match="is no inventory that can be read"):
        servers_of(file)


@pytest.mark.parametrize("example", ["rtx5090", "gpu-24g", "no-gpu"])
def test_what_is_found_later_is_not_guessed(example: str) -> None:
    before = (EXAMPLES / example / "group_vars/all/platform.yml").read_text()
    after = without_found(before)
    typed = yaml.safe_load(before)
    left = {name: typed[name] for name in typed if name not in (
        "synapse_memory_gib", "synapse_cpu_cores", "synapse_gpus",
    )}  # fmt: skip
    assert yaml.safe_load(after) == left
    keys = before.partition("# End of keys.\n")[0]
    assert after.startswith(keys)
    assert "GPU's" not in after.removeprefix(keys)
