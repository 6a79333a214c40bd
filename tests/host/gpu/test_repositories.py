"""apt takes NVIDIA's packages from a repository that is as it was signed, and from no other."""

import pytest

from host_lab.server import Server
from host_lab_gpu import toolkit
from host_lab_gpu.published import DRIVER, DRIVER_KEY, RELEASE, TOOLKIT, TOOLKIT_KEY, Published
from synapse_testbed.commands import TestbedError

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
SOURCE = "/etc/apt/sources.list.d/nvidia.list"
LIMITED = f"-oDir::Etc::SourceParts=- -oDir::Etc::SourceList={SOURCE} -oAPT::Get::List-Cleanup=0"
DRIVERS = f"{DRIVER}/{RELEASE}/x86_64"
OURS = "dpkg-query --show '*nvidia*' 2>/dev/null || true"


def point_at(server: Server, address: str) -> None:
    """Have apt trust the two keys that are published there, as people do."""
    lines = []
    for place, key in ((TOOLKIT, TOOLKIT_KEY), (DRIVERS, f"{DRIVERS}/{DRIVER_KEY}")):
        ring = f"/usr/share/keyrings/{key.rpartition('/')[2]}.gpg"
        server.shell(f"curl -fsS {address}/{key} | gpg --dearmor --yes -o {ring}")
        lines.append(f"deb [signed-by={ring} arch=amd64] {address}/{place}/ /\n")
    server.write(SOURCE, "".join(lines))


def install(server: Server) -> None:
    server.shell(f"apt-get -q update {LIMITED} -oAPT::Update::Error-Mode=any")
    server.shell(
        "DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends"
        " nvidia-container-toolkit nvidia-open"
    )


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("other-key", "is not signed"),
        ("expired", "is expired"),
        ("tampered", "Hash Sum mismatch"),
    ],
)
def test_a_repository_that_is_wrong_installs_nothing(
    server: Server, repositories: tuple[Published, str], variant: str, words: str
) -> None:
    point_at(server, f"{repositories[1]}/{variant}")

    with pytest.raises(TestbedError, match=words):
        install(server)

    assert server.shell(OURS) == ""


def test_the_right_repository_installs_what_the_real_packages_bring(
    server: Server, repositories: tuple[Published, str]
) -> None:
    point_at(server, f"{repositories[1]}/right")

    install(server)

    upstream = toolkit.version().removesuffix("-1")
    assert f"version {upstream}" in server.exec("nvidia-ctk", "--version")
    assert server.exec("systemctl", "is-enabled", *toolkit.UNITS).split() == ["enabled", "enabled"]
    assert 'mode = "auto"' in server.exec("cat", "/etc/nvidia-container-runtime/config.toml")


def test_a_published_key_is_known_by_its_fingerprint(
    server: Server, repositories: tuple[Published, str]
) -> None:
    published, address = repositories
    shown = server.shell(f"curl -fsS {address}/right/{TOOLKIT_KEY} | gpg --show-keys --with-colons")
    assert f":{published.toolkit_fingerprint}:" in shown
