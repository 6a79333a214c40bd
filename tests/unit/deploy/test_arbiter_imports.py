"""The services run in images of others: whatever they import must be in there."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMON = ROOT / "files/synapse_common"
GATEWAYS_IMAGE = ROOT / "molecule/testbed/litellm-requirements.txt"
DISTRIBUTIONS = {"yaml": "pyyaml", "prometheus_client": "prometheus-client"}


def imported(file: Path) -> set[str]:
    """The packages that a file imports, without Python's own and ours."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    roots = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    return {name for name in roots if not name.startswith("synapse_")}


@pytest.mark.parametrize(
    ("package", "known"),
    [
        (ROOT / "files/synapse_arbiter", {"aiohttp", "pydantic"}),
        (COMMON, {"orjson", "pydantic", "yaml"}),
    ],
    ids=["arbiter", "common"],
)
def test_every_library_of_the_arbiter_is_in_the_gateways_image(
    package: Path, known: set[str]
) -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", GATEWAYS_IMAGE.read_text(), re.MULTILINE))
    needed = set().union(*map(imported, package.rglob("*.py")))
    assert needed >= known, "nothing was looked at"
    assert {DISTRIBUTIONS.get(name, name) for name in needed} <= pinned


def test_what_is_common_needs_nothing_else() -> None:
    """It is in the pods of all services, whose images have little in common.

    What reads bodies and judges answers is for the gateway and the arbiter alone, and they share an
    image.
    """
    everybodys = [
        file for file in COMMON.rglob("*.py") if not {"answers", "bodies"} & {*file.parts}
    ]
    assert set().union(*map(imported, everybodys)) == {"pydantic", "yaml"}
