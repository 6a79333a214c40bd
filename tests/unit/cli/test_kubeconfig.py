"""Commands reach the cluster that `make deploy` deploys into."""

from pathlib import Path

import pytest

from synapse_cli.cluster import kubeconfig


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose server was found."""
    (tmp_path / "group_vars/all").mkdir(parents=True)
    write(tmp_path, "found", "synapse_kubeconfig: ~/.kube/synapse/forge.yaml")
    return tmp_path


def write(site: Path, name: str, text: str) -> None:
    (site / f"group_vars/all/{name}.yml").write_text(f"# Written by hand.\n{text}\n")


def test_the_site_names_its_cluster(site: Path) -> None:
    assert kubeconfig({}, site) == str(Path("~/.kube/synapse/forge.yaml").expanduser())


def test_what_somebody_typed_wins_over_what_was_found(site: Path) -> None:
    write(site, "platform", "synapse_kubeconfig: /etc/other.yaml")
    assert kubeconfig({}, site) == "/etc/other.yaml"


def test_the_environment_wins_over_the_site(site: Path) -> None:
    assert kubeconfig({"KUBECONFIG": "/tmp/demo.yaml"}, site) is None
    assert kubeconfig({"K8S_AUTH_KUBECONFIG": "/tmp/own.yaml"}, site) == "/tmp/own.yaml"


@pytest.mark.parametrize("text", ["synapse_kubeconfig: '{{ lookup(x) }}'", "other: 1"])
def test_without_a_plain_name_it_is_kubectls_own(tmp_path: Path, text: str) -> None:
    (tmp_path / "group_vars/all").mkdir(parents=True)
    write(tmp_path, "platform", text)
    assert kubeconfig({}, tmp_path) is None
    assert kubeconfig({}, tmp_path / "nowhere") is None
