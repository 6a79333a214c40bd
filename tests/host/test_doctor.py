"""What `make doctor` says of a server that it reaches by ssh and with a password for sudo."""

import pytest

from host_lab.playing import Site
from host_lab.server import Server

K3S = "/var/lib/rancher/k3s"
# The site's numbers are those of a larger machine than a test's.
OF_THE_MACHINE = {"cores and memory", "memory", "room for models and images"}
SNAPSHOT = "find /etc /usr/local /opt /var/lib/rancher -xdev -printf '%p %s %m %T@\\n' | sort"
ENDS_SOON = f"""
cd {K3S}/server/tls
cp -a client-admin.crt /root/client-admin.crt
openssl req -x509 -key client-admin.key -subj /CN=system:admin -days 5 -out client-admin.crt
"""
BROKEN = """
chmod 0644 /etc/rancher/k3s/config.yaml
echo 'version = 3' > {folder}/config-v3.toml.tmpl
systemctl stop k3s
""".format(folder=f"{K3S}/agent/etc/containerd")
MENDED = f"""
chmod 0600 /etc/rancher/k3s/config.yaml
rm {K3S}/agent/etc/containerd/config-v3.toml.tmpl
systemctl start k3s
"""


def wrong(said: dict[str, dict[str, str]]) -> set[str]:
    """Return what is wrong with the server."""
    return {
        what
        for what, finding in said.items()
        if finding["place"] in ("server", "gpu") and finding["level"] == "wrong"
    } - OF_THE_MACHINE


def test_bare_server_is_told_what_comes_and_left_as_it_is(bare: Server) -> None:
    before = bare.shell(SNAPSHOT)
    said = Site(bare.name).doctor()
    assert wrong(said) == set()
    assert said["k3s"]["level"] == "note"
    assert "--tags cluster" in said["k3s"]["remedy"]
    assert "8000/tcp" in said["firewall"]["remedy"]
    assert said["kubernetes"]["level"] == "wrong"
    assert bare.shell(SNAPSHOT) == before


def test_server_that_was_set_up_has_nothing_to_do(machine: Server, site: Site) -> None:
    said = site.doctor()
    assert wrong(said) == set()
    assert said["k3s"]["seen"].endswith(", ours")
    assert "only" in said["firewall"]["seen"]
    assert said["certificates"]["level"] == "ok"


@pytest.mark.long
def test_what_breaks_is_found_and_gone_when_it_is_mended(machine: Server, site: Site) -> None:
    machine.shell(BROKEN)
    try:
        said = site.doctor()
    finally:
        machine.shell(MENDED)
    assert {"config.yaml", "containerd", "k3s"} <= wrong(said)
    assert "chmod 600" in said["config.yaml"]["remedy"]
    assert "inactive" in said["k3s"]["seen"]
    assert wrong(site.doctor()) == set()


@pytest.mark.long
def test_certificates_of_a_server_that_ran_for_a_year_want_a_restart(
    machine: Server, site: Site
) -> None:
    machine.shell(ENDS_SOON)
    said = site.doctor()["certificates"]
    assert said["level"] == "wrong"
    assert "restart k3s" in said["remedy"]
    machine.shell("systemctl restart k3s")
    assert site.doctor()["certificates"]["level"] == "ok"
