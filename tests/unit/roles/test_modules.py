"""What runs on a server as an Ansible module needs Python 3.9 and what is sent along, no more."""

import ast
import configparser
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHARED = ROOT / "roles/host/module_utils"
SENT = [
    path
    for pattern in ("*/library/*.py", "*/module_utils/**/*.py")
    for path in sorted((ROOT / "roles").glob(pattern))
]
PREFIX = "ansible.module_utils."
OF_ANSIBLE = {"basic", "urls"}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT / "roles"))


def imported(path: Path) -> Iterator[str]:
    """The modules that a file names, but those beside it."""
    for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 9))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


@pytest.mark.parametrize("path", SENT, ids=shown)
def test_a_module_needs_nothing_that_a_server_may_lack(path: Path) -> None:
    ours = [SHARED, *path.parents[1].glob("module_utils")]
    for name in imported(path):
        if not name.startswith(PREFIX):
            assert name.split(".")[0] in sys.stdlib_module_names, name
        elif name.removeprefix(PREFIX) not in OF_ANSIBLE:
            file = f"{name.removeprefix(PREFIX).replace('.', '/')}.py"
            assert any((folder / file).is_file() for folder in ours), name


def test_no_two_roles_send_along_what_has_the_same_name() -> None:
    names = Counter(path.name for path in (ROOT / "roles").glob("*/module_utils/*"))
    del names["__pycache__"]
    assert [name for name, times in names.items() if times > 1] == []
    assert all(name.startswith("synapse_") for name in names)


def test_commands_outside_of_plays_find_what_is_sent_along() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "ansible.cfg")
    assert ROOT / config["defaults"]["module_utils"] == SHARED
