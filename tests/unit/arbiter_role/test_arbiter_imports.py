"""The arbiter runs in the gateway's image: whatever it imports must be in there."""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "files/arbiter/synapse_arbiter"
PINNED = ROOT / "molecule/testbed/litellm-requirements.txt"
DISTRIBUTIONS = {"yaml": "pyyaml", "prometheus_client": "prometheus-client"}


def imported(file: Path) -> set[str]:
    """The packages that a file imports, without Python's own and the arbiter's."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    roots = {name.partition(".")[0] for name in names}
    return roots - sys.stdlib_module_names - {"synapse_arbiter"}


def test_every_library_of_the_arbiter_is_in_the_gateways_image() -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", PINNED.read_text(), re.MULTILINE))
    needed = set().union(*map(imported, PACKAGE.rglob("*.py")))
    assert needed >= {"aiohttp", "yaml"}, "nothing was looked at"
    assert {DISTRIBUTIONS.get(name, name) for name in needed} <= pinned
