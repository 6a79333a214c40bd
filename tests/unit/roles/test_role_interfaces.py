"""Every role has the same shape, and its two descriptions name the same variables."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ROLES = sorted(path.parent for path in (ROOT / "roles").glob("*/tasks"))
DEFAULTS = [role for role in ROLES if (role / "defaults/main.yml").exists()]
# What Ansible finds by its name, whichever role it lies in.
MODULES = {path.stem for path in (ROOT / "roles").glob("*/library/*.py")}
FILTERS = set(
    re.findall(r'"(\w+)": later', (ROOT / "roles/host/filter_plugins/host.py").read_text())
)
TASK_LINES = 60
TEMPLATE_LINES = 80


def named(role: Path) -> str:
    return role.name


@pytest.mark.parametrize("role", DEFAULTS, ids=named)
def test_defaults_and_argument_specs_name_the_same_variables(role: Path) -> None:
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())
    options = {
        name
        for name in specs["argument_specs"]["main"]["options"]
        if name.startswith(f"{role.name}_")
    }
    text = (role / "defaults/main.yml").read_text()
    assert options == set(re.findall(rf"^(?:# )?({role.name}_\w+):", text, re.M))


@pytest.mark.parametrize("role", DEFAULTS, ids=named)
def test_every_default_is_explained(role: Path) -> None:
    lines = (role / "defaults/main.yml").read_text().splitlines()
    for before, line in pairwise(lines):
        if re.match(rf"{role.name}_\w+:", line):
            assert before.startswith(("#", f"{role.name}_")), line


@pytest.mark.parametrize("role", DEFAULTS, ids=named)
def test_required_variables_say_where_they_are_set(role: Path) -> None:
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())
    text = (role / "defaults/main.yml").read_text()
    for name, option in specs["argument_specs"]["main"]["options"].items():
        if option.get("required"):
            assert re.search(rf'^{name}: "\{{\{{ undef\(hint=', text, re.M), name


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_every_role_says_what_it_guarantees(role: Path) -> None:
    for part in ("README.md", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml"):
        assert (role / part).exists(), part


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_every_file_fits_a_screen(role: Path) -> None:
    for file in role.glob("tasks/*.yml"):
        assert len(file.read_text().splitlines()) <= TASK_LINES, file
    for file in role.glob("templates/*.j2"):
        assert len(file.read_text().splitlines()) <= TEMPLATE_LINES, file


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_roles_do_not_know_each_other(role: Path) -> None:
    """Only kube_objects may be called, and only its variables may be set.

    Modules and the filters of the role host are for all.
    """
    others = [other.name for other in ROLES if other.name not in (role.name, "kube_objects")]
    for file in (*role.glob("tasks/*.yml"), *role.glob("templates/*.j2"), *role.glob("vars/*.yml")):
        text = re.sub(r"hint='[^']*'", "", file.read_text())
        used = set(re.findall(rf"(?<![\w.'\"/-])(?:{'|'.join(others)})_\w+", text))
        known = MODULES | FILTERS
        assert used <= known, f"{file}: {used - known}"
