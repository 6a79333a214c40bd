"""A server that reaches nothing but a proxy with a password: K3s comes through it, by https."""

import ssl
from pathlib import Path

import pytest

from host_lab import artefacts, k3s, proxy
from host_lab.playing import Site
from host_lab.server import Server
from synapse_testbed.commands import run

pytestmark = pytest.mark.long
# Nobody but the proxy knows where this is: the domain `invalid` has no servers.
NAME = "releases.invalid"
TRUSTED = "/usr/local/share/ca-certificates/house.crt"
WHERE_IT_MAY_STAND = ("/etc/systemd/system/k3s.service.env",)
SHOWN = "ps -eo args; journalctl --no-pager --output=cat"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key, made by nobody whom a server knows."""
    made, key = tmp_path / "house.crt", tmp_path / "house.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    run([*command, *subject, "-out", str(made), "-keyout", str(key)], limit_s=60)
    return made, key


def test_release_comes_through_the_proxy_alone(
    bare: Server, release: Path, certificate: tuple[Path, Path]
) -> None:
    made, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    bare.write(TRUSTED, made.read_text())
    bare.shell("update-ca-certificates")
    site = Site(bare.name)
    with (
        artefacts.serving({k3s.version(): release}, tls=context) as releases,
        proxy.running({f"{NAME}:443": releases.port}) as through,
    ):
        alone = site.play("cluster.yml", k3s_download_url=f"https://{NAME}")
        told = site.play(
            "cluster.yml",
            "--diff",
            k3s_download_url=f"https://{NAME}",
            synapse_proxy={"http": through.url(), "https": through.url()},
        )
        again = site.play(
            "cluster.yml",
            k3s_download_url=f"https://{NAME}",
            synapse_proxy={"http": through.url(), "https": through.url()},
        )
    assert alone.rc != 0
    assert "synapse_proxy" in alone.text
    assert told.rc == 0, told.text
    assert set(through.asked) == {f"{NAME}:443"}
    assert (again.rc, again.changed) == (0, []), again.text
    shown = bare.shell(SHOWN)
    for text in (told.text, again.text, shown):
        assert through.password not in text
    for place in WHERE_IT_MAY_STAND:
        assert bare.shell(f"stat --format=%a {place}").strip() == "600"
