"""A bare server: what a check says before anything is done, and who may do it."""

from host_lab.playing import Site
from host_lab.server import Server

# What apt, ssh and systemd write by themselves is nobody's change.
LOOKED_AT = "/etc /usr/local /var/lib/rancher /opt"
SNAPSHOT = f"find {LOOKED_AT} -xdev -printf '%p %s %m %T@\\n' | sort"


def test_check_says_what_it_would_do_and_does_nothing(bare: Server, site: Site) -> None:
    before = bare.shell(SNAPSHOT)
    told = Site(bare.name).play(
        "cluster.yml", "--check", k3s_download_url=str(site.facts()["k3s_download_url"])
    )
    assert told.rc == 0, told.text
    for task in ("Put the release in place", "start it"):
        assert any(task in name for name in told.changed), told.changed
    assert bare.shell(SNAPSHOT) == before


def test_wrong_password_for_sudo_ends_the_run_at_once(site: Site) -> None:
    told = site.play("cluster.yml", "--check", ansible_become_password="wrong")
    assert told.rc != 0
    assert "password" in told.text
    assert told.changed == []


def test_user_without_a_password_for_sudo_serves_as_well(site: Site) -> None:
    told = site.play("cluster.yml", ansible_user="trusted", ansible_become_password="")
    assert (told.rc, told.changed) == (0, []), told.text
