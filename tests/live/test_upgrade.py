"""`make upgrade` on the running testbed, from a checkout with two tags: there and back."""

import os
import subprocess
from pathlib import Path

import pytest

from synapse_cli.cluster import Cluster
from synapse_cli.version import LABEL
from two_releases import TwoReleases, two_releases

from .conftest import INVENTORY

UPGRADE_LIMIT_S = 600


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> TwoReleases:
    """The version that is deployed, and a later one in which only the number is another."""
    return two_releases(tmp_path_factory.mktemp("releases"), later={})


def upgrade(releases: TwoReleases, tag: str, state: Path) -> str:
    """What the real command says."""
    others = {name: text for name, text in os.environ.items() if not name.startswith("ANSIBLE_")}
    env = {
        **others,
        "ANSIBLE_INVENTORY": ",".join(str(releases.root / part) for part in INVENTORY.split(",")),
        "XDG_STATE_HOME": str(state),
        "MAKEFLAGS": "",
    }
    run = subprocess.run(
        ["make", "upgrade", f"TO={tag}", "YES=1"],
        cwd=releases.root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=UPGRADE_LIMIT_S,
    )
    assert run.returncode == 0, run.stdout[-6000:]
    return run.stdout


def running(cluster: Cluster) -> tuple[set[str], set[str]]:
    """The versions that the workloads' labels say, and which pods there are."""
    pods = cluster.pods("app.kubernetes.io/part-of=synapse")
    versions = {found.metadata.labels[LABEL] for found in cluster.workloads()}
    return versions, {pod.metadata.uid for pod in pods}


@pytest.mark.usefixtures("gpu")  # whose engines are all well, as the health table has to find them
@pytest.mark.timeout(2 * UPGRADE_LIMIT_S)
def test_the_testbed_goes_to_a_later_version_and_back_and_no_pod_restarts(
    cluster: Cluster, releases: TwoReleases, tmp_path: Path
) -> None:
    old, new = releases.old.removeprefix("v"), releases.new.removeprefix("v")
    versions, before = running(cluster)
    assert versions == {old}
    said = upgrade(releases, releases.new, tmp_path)
    assert "restarts: nothing" in said
    assert f"Back: make upgrade TO={releases.old}" in said
    assert running(cluster) == ({new}, before)
    assert list(tmp_path.glob("synapse/backups/*/*/keys.yml"))
    upgrade(releases, releases.old, tmp_path)
    assert running(cluster) == ({old}, before)
