"""A fault is told with the file and the line that its author has to look at."""

from pathlib import Path

import pytest

from synapse_deploy.catalogue.options import ROOT
from synapse_deploy.catalogue.origin import Origins

MODELS = """\
---
# A comment.
synapse_models:
  - name: big
    engine: vllm
    engine_args:
      port: 3
  - {name: small, engine: ollama}

synapse_cpu_cores: 4
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose variables are in two files."""
    folder = tmp_path / "site/group_vars/all"
    folder.mkdir(parents=True)
    (folder / "models.yml").write_text(MODELS)
    (folder / "platform.yml").write_text("synapse_keep_alive: 5m\nmy_secret: !vault |\n  abc\n")
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("synapse_models",), 3),
        (("synapse_models", 0), 4),
        (("synapse_models", 0, "engine"), 5),
        (("synapse_models", 0, "engine_args", "port"), 7),
        (("synapse_models", 0, "missing"), 4),
        (("synapse_models", 1, "engine"), 8),
        (("synapse_models", 9), 3),
        (("synapse_cpu_cores",), 10),
    ],
)
def test_the_line_of_an_entry_or_of_what_is_nearest(
    site: Path, place: tuple[str | int, ...], line: int
) -> None:
    file = site / "group_vars/all/models.yml"
    assert Origins([site]).where(place, {}) == f"{file}:{line}"


def test_what_no_file_says_was_given_on_the_command_line(site: Path) -> None:
    origins = Origins([site])
    assert origins.where(("vllm_ofline",), {"vllm_ofline": True}) == "given with -e"
    assert origins.where(("synapse_cpu_cores",), {"synapse_cpu_cores": 9}) == "given with -e"
    assert origins.where(("synapse_cpu_cores",), {"synapse_cpu_cores": 4}).endswith(":10")


def test_a_host_beats_a_group_and_a_later_file_an_earlier_one(site: Path) -> None:
    (site / "host_vars").mkdir()
    (site / "host_vars/localhost.yml").write_text("\nsynapse_keep_alive: 6m\n")
    (site / "group_vars/all/zz.yml").write_text("synapse_cpu_cores: 5\n")
    origins = Origins([site])
    host = f"{site / 'host_vars/localhost.yml'}:2"
    assert origins.where(("synapse_keep_alive",), {"synapse_keep_alive": "6m"}) == host
    assert origins.where(("synapse_cpu_cores",), {}).endswith("zz.yml:1")


def test_a_value_that_is_a_template_or_a_secret_is_the_files(site: Path) -> None:
    file = site / "group_vars/all/platform.yml"
    file.write_text('synapse_keep_alive: "{{ mine }}"\nmy_secret: !vault |\n  abc\n')
    origins = Origins([site])
    assert origins.where(("synapse_keep_alive",), {"synapse_keep_alive": "5m"}) == f"{file}:1"
    assert origins.where(("my_secret",), {"my_secret": "abc"}) == f"{file}:2"


def test_the_products_own_files_are_no_origin() -> None:
    origins = Origins([ROOT / "inventory/common"])
    assert origins.where(("ollama_memory_gib",), {"ollama_memory_gib": "lots"}) == "given with -e"


def test_a_file_that_is_no_yaml_stops_nothing(site: Path) -> None:
    (site / "group_vars/all/broken.yml").write_text("a: [")
    assert Origins([site]).where(("synapse_cpu_cores",), {}).endswith(":10")
