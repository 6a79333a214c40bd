"""Role nvidia brings driver and toolkit onto a bare server, asked to, from a signed repository."""

import subprocess

import pytest

from host_lab.server import Server
from host_lab_gpu import driver, machine, toolkit
from host_lab_gpu.looked_at import facts_of
from host_lab_gpu.plays import play
from host_lab_gpu.published import Published
from host_lab_gpu.states import STATES

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
OURS = "dpkg-query --show '*nvidia*' 2>/dev/null || true"


def run_role(
    server: Server, repositories: tuple[Published, str], variant: str = "right", **options: bool
) -> subprocess.CompletedProcess[str]:
    published, address = repositories
    return play(server, "nvidia", published.variables(address, variant) | options)


@pytest.fixture(scope="module")
def bare(server: Server) -> Server:
    machine.plug_in(server, STATES["nouveau"])
    return server


def test_nothing_is_installed_unasked(bare: Server, repositories: tuple[Published, str]) -> None:
    done = run_role(bare, repositories)

    assert done.returncode != 0
    assert "nvidia_install: true" in done.stdout
    assert bare.shell(OURS) == ""


@pytest.mark.parametrize(
    ("variant", "words"),
    [("other-key", "is not signed"), ("expired", "is expired"), ("tampered", "Hash Sum mismatch")],
)
def test_a_wrong_repository_is_refused_in_a_sentence(
    bare: Server, repositories: tuple[Published, str], variant: str, words: str
) -> None:
    done = run_role(bare, repositories, variant, nvidia_install=True)

    assert done.returncode != 0
    assert words in done.stdout
    assert bare.shell(OURS) == ""


def test_driver_and_toolkit_come_with_one_reboot(
    bare: Server, repositories: tuple[Published, str]
) -> None:
    with machine.coming_back(bare):
        done = run_role(bare, repositories, nvidia_install=True, nvidia_reboot=True)

    assert done.returncode == 0, done.stdout[-3000:]
    facts = facts_of(bare)
    assert (facts.driver.loaded, facts.driver.kind) == (driver.CURRENT, "open")
    assert facts.toolkit.version == toolkit.version().removesuffix("-1")
    assert [card.persistence for card in facts.driver.cards] == [True]
    assert {"nvidia-driver-cuda", "nvidia-kernel-open-dkms"} <= set(facts.driver.held)


def test_a_second_run_changes_nothing(bare: Server, repositories: tuple[Published, str]) -> None:
    done = run_role(bare, repositories, nvidia_install=True, nvidia_reboot=True)

    assert done.returncode == 0, done.stdout[-3000:]
    assert "changed=0" in done.stdout
