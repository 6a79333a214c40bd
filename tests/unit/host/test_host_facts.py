"""What the module `host_facts` reads of a server's system, sockets and disks."""

from pathlib import Path

import pytest

from server_tree import UBUNTU, Tree
from synapse_host.facts import Firewalls, HostFacts, K3s, Listener
from synapse_host.lived_in import lived_in_by


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def ports(facts: HostFacts) -> list[tuple[str, int, str]]:
    return [(one.protocol, one.port, one.program) for one in facts.listeners]


def test_a_bare_debian(tree: Tree) -> None:
    facts = tree.facts()
    system = facts.system
    assert (system.id, system.version, system.codename) == ("debian", "13", "trixie")
    assert (system.cores, system.memory_gib, system.swap_gib) == (16, 62.63, 2.0)
    assert (system.has_systemd, system.container, system.sudo) == (True, "", "sudo")
    assert (system.clock_synchronized, system.clock_service) == (True, "systemd-timesyncd.service")
    assert (system.open_files, system.sysctls["vm.overcommit_memory"]) == (524288, "0")
    assert (system.has_default_route, system.reboot_required_by) == (True, ())
    assert facts.listeners == (Listener("tcp", "0.0.0.0", 22, "sshd"),)
    assert [(disk.mount, disk.type) for disk in facts.disks] == [("/", "ext4")]
    assert (facts.k3s, facts.firewalls, facts.gpus) == (K3s(), Firewalls(), ())
    assert lived_in_by(facts) == ()


def test_ubuntu_with_sudo_rs_and_a_pending_reboot(tree: Tree) -> None:
    tree.file("/etc/os-release", UBUNTU)
    tree.program("sudo", "echo 'sudo-rs 0.2.8'")
    tree.file("/run/reboot-required", "*** System restart required ***\n")
    tree.file("/run/reboot-required.pkgs", "linux-image-6.8\nlibc6\nlibc6\n")
    tree.program("unattended-upgrade", "")
    tree.file("/etc/apt/apt.conf.d/20auto", 'APT::Periodic::Unattended-Upgrade "1";\n')
    system = tree.facts().system
    assert (system.id, system.version, system.sudo) == ("ubuntu", "24.04", "sudo-rs")
    assert system.reboot_required_by == ("libc6", "linux-image-6.8")
    assert system.unattended_upgrades
    tree.file("/etc/apt/apt.conf.d/99mine", 'APT::Periodic::Unattended-Upgrade "0";\n')
    assert not tree.facts().system.unattended_upgrades


def test_only_what_is_reached_from_outside_listens(tree: Tree) -> None:
    tree.listens("tcp", "0100007F:1F90", inode=1)  # 127.0.0.1
    tree.listens("tcp", "01002A0A:1F91", inode=2)  # 10.42.0.1, the pods' bridge
    tree.listens("tcp", "0A01A8C0:1F92", inode=3)  # 192.168.1.10
    tree.listens("tcp", "0A01A8C0:9999", inode=4, state="01")  # a connection
    tree.listens("tcp6", "00000000000000000000000000000000:0050", inode=5)
    tree.listens("tcp6", "00000000000000000000000001000000:0051", inode=6)  # ::1
    tree.listens("tcp6", "0000000000000000FFFF00000100007F:0052", inode=7)  # ::ffff:127.0.0.1
    tree.listens("udp", "00000000:0044", inode=0, state="07")
    tree.process(400, "nginx", "socket:[5]", "/dev/null")
    facts = tree.facts()
    assert ports(facts) == [
        ("tcp", 22, "sshd"), ("tcp", 8082, ""), ("tcp", 80, "nginx"), ("udp", 68, ""),
    ]  # fmt: skip
    assert lived_in_by(facts) == ("nginx at tcp 80", "a program at tcp 8082")


def test_a_socket_of_systemd_is_its_service(tree: Tree) -> None:
    tree.listens("tcp6", "00000000000000000000000000000000:08AE", inode=8)
    tree.listens("tcp6", "00000000000000000000000000000000:2382", inode=9)
    tree.link("/proc/1/fd/8", "socket:[8]")
    tree.link("/proc/1/fd/9", "socket:[9]")
    sockets = "[::]:2222 ssh.socket ssh.service\n[::]:9090 cockpit.socket cockpit.service"
    tree.program("systemctl", f"case $1 in list-sockets) echo '{sockets}';; esac")
    assert ports(tree.facts())[1:] == [("tcp", 2222, "sshd"), ("tcp", 9090, "cockpit")]


def test_ports_that_rules_lead_to_pods_are_told(tree: Tree) -> None:
    tree.says("iptables-save", (
        "*nat\n-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT\n"
        '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"cbr0\\"" -m multiport '
        "--dports 80,443 -j CNI-DN-1\n"
        "-A CNI-DN-1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.42.0.8:80\n"
        "-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 5432 -j DNAT\n"
        "-A DOCKER ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 172.17.0.2:53\n"
    ))  # fmt: skip
    found = tree.facts().firewalls.forwarded
    assert [(one.protocol, one.port, one.program) for one in found] == [
        ("tcp", 80, "pods"), ("tcp", 443, "pods"), ("udp", 53, "docker"),
    ]  # fmt: skip


def test_who_filters_packets(tree: Tree) -> None:
    tree.unit("ufw.service")
    tree.file("/etc/ufw/ufw.conf", "ENABLED=no\n")
    tree.unit("nftables.service", "failed")
    tree.unit("firewalld.service", "inactive", LoadState="masked")
    tree.says("nft", "table inet filter\ntable inet synapse\n")
    told = Firewalls("inactive", "absent", "failed", ("inet filter", "inet synapse"), ours=True)
    assert tree.facts().firewalls == told
    tree.file("/etc/ufw/ufw.conf", "# ufw\nENABLED=yes\n")
    assert tree.facts().firewalls.ufw == "active"


def test_disks_that_hold_data_and_those_that_are_asked_for(tree: Tree) -> None:
    (tree.root / "mnt/my models").mkdir(parents=True)
    (tree.root / "mnt/nas").mkdir()
    mounts = "/dev/sdb1 /mnt/my\\040models xfs rw 0 0\nnas:/x /mnt/nas nfs4 rw 0 0\n"
    tree.file("/proc/self/mounts", f"/dev/vda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n{mounts}")
    assert [one.mount for one in tree.facts().disks] == ["/", "/mnt/my models"]
    asked = tree.facts(folders=("/mnt/nas/models",))
    disk = asked.disk_of("/mnt/nas/models")
    assert disk is not None
    assert (disk.mount, disk.type) == ("/mnt/nas", "nfs4")


def test_other_peoples_containers_are_seen(tree: Tree) -> None:
    tree.file("/var/lib/docker/containers/4f3a/config.v2.json", "{}")
    tree.file("/var/lib/kubelet/pods/1/volumes/x", "")
    tree.file("/var/lib/containers/storage/overlay-containers/containers.json", "[]")
    facts = tree.facts()
    assert facts.containers == ("docker", "kubelet")
    assert lived_in_by(facts) == ("containers of docker", "containers of kubelet")


def test_a_program_that_hangs_is_named_and_not_waited_for(tree: Tree) -> None:
    tree.program("timedatectl", "exec sleep 60")
    facts = tree.facts(limit_s=0.3)
    assert facts.system.clock_synchronized is None
    assert "timedatectl did not answer within 0.3 s." in facts.unseen
