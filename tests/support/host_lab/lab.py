"""Bring a bare server up with its users, and say how to reach it; take it away again."""

import os
import secrets
import shutil
import time
from pathlib import Path

import yaml

from host_lab import image, k3s
from host_lab.server import Server
from synapse_host import found
from synapse_testbed.cache import Cache
from synapse_testbed.commands import TestbedError, run, say
from synapse_testbed.contents import load_image
from synapse_testbed.settings import from_environment

# Who has sudo with a password, and who has it without one.
ADMIN, TRUSTED = "admin", "trusted"
# Another machine of the LAN: releases are fetched from it, and it tries the server's ports.
NEIGHBOUR = "-neighbour"
RELEASES_PORT = 8080
SERVE = "python3 -m http.server --directory=/srv/releases"
BOOT_LIMIT_S = 60
POLL_S = 0.2


def folder_of(name: str) -> Path:
    """Return where the key, the inventory and the known host of a server lie on this machine."""
    return from_environment(os.environ).cache.parent / "host-lab" / name


def create(name: str, mounts: dict[Path, str] | None = None) -> Server:
    """Make a new bare server of that name (one that is there goes first) and its inventory."""
    _destroy(name)
    with Cache(from_environment(os.environ).cache) as cache:
        layers = image.image(cache.obtain(image.root()), cache.obtain(image.own_files()))
        reference = load_image(layers)
    server = Server(name)
    server.run(reference, mounts or {})
    wait_for_boot(server)
    password = secrets.token_urlsafe(12)
    folder = folder_of(name)
    folder.mkdir(mode=0o700, parents=True)
    key = folder / "id_ed25519"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], limit_s=30)
    _add_users(server, password, key.with_suffix(".pub").read_text())
    (folder / "password").touch(mode=0o600)
    (folder / "password").write_text(password)
    host_key = server.exec("cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
    (folder / "known_hosts").write_text(f"{server.address()} {' '.join(host_key)}\n")
    hosts = folder / "hosts.yml"
    hosts.touch(mode=0o600)
    hosts.write_text(yaml.safe_dump(_inventory(server, password, folder), sort_keys=False))
    say(f"{name}: up; its inventory is {hosts}")
    return server


def ssh_options(folder: Path) -> str:
    """Return what has ssh know the server by its own key, and take no other key for itself."""
    return f"-o UserKnownHostsFile={folder / 'known_hosts'} -o IdentitiesOnly=yes"


def create_with_releases(name: str) -> Server:
    """Make a server, and a neighbour in its LAN where it finds K3s' release."""
    with Cache(from_environment(os.environ).cache) as cache:
        folder = k3s.release(cache)
        neighbour = create(f"{name}{NEIGHBOUR}", {folder: f"/srv/releases/{k3s.version()}"})
    neighbour.shell(f"systemd-run --unit=releases {SERVE} {RELEASES_PORT}")
    server = create(name)
    hosts = folder_of(name) / "hosts.yml"
    told = yaml.safe_load(hosts.read_text())
    address = f"http://{neighbour.address()}:{RELEASES_PORT}"
    told["all"]["children"]["server"]["hosts"][name]["k3s_download_url"] = address
    hosts.write_text(yaml.safe_dump(told, sort_keys=False))
    return server


def kubeconfig_of(name: str) -> Path:
    """Return where a site of that name has its server's kubeconfig."""
    return Path(found.kubeconfig_of(name)).expanduser()


def destroy(name: str) -> None:
    """Remove the server of that name, its neighbour, and what was written here for them."""
    for one in (name, f"{name}{NEIGHBOUR}"):
        _destroy(one)


def _destroy(name: str) -> None:
    Server(name).remove()
    shutil.rmtree(folder_of(name), ignore_errors=True)
    kubeconfig_of(name).unlink(missing_ok=True)


def wait_for_boot(server: Server) -> None:
    """Return when the server's systemd has started what it starts, well or not."""
    deadline = time.monotonic() + BOOT_LIMIT_S
    while True:
        told = server.shell("systemctl is-system-running 2>&1 || true").strip()
        if told in ("running", "degraded"):
            return
        if time.monotonic() > deadline:
            raise TestbedError(f"{server.name}: not up within {BOOT_LIMIT_S} s, systemd: {told}")
        time.sleep(POLL_S)


def _add_users(server: Server, password: str, public_key: str) -> None:
    for user in (ADMIN, TRUSTED):
        server.exec("useradd", "--create-home", "--shell=/bin/bash", "--groups=sudo", user)
        server.shell(f"install -d -o {user} -g {user} -m 0700 /home/{user}/.ssh")
        server.write(f"/home/{user}/.ssh/authorized_keys", public_key)
    server.write("/run/password", f"{ADMIN}:{password}\n", mode="0600")
    server.shell("chpasswd < /run/password; rm /run/password")
    server.write("/etc/sudoers.d/trusted", f"{TRUSTED} ALL=(ALL) NOPASSWD: ALL\n", mode="0440")


def _inventory(server: Server, password: str, folder: Path) -> dict[str, object]:
    facts = {
        "ansible_host": server.address(),
        "ansible_user": ADMIN,
        "ansible_become_password": password,
        "ansible_ssh_private_key_file": str(folder / "id_ed25519"),
        "ansible_ssh_common_args": ssh_options(folder),
    }
    return {"all": {"children": {"server": {"hosts": {server.name: facts}}}}}
