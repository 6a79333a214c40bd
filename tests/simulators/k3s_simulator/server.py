"""The command `server`: everything is started, looked after, and ends with this process."""

import json
import os
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from k3s_simulator import containerd, controllers, payload, pki, programs
from k3s_simulator.api import Api
from k3s_simulator.config import Config
from k3s_simulator.running import Running
from k3s_simulator.told import fatal, info, ready, warning

START_LIMIT_S = 120
POLL_S = 0.2
# How an archive of images is packed, and what unpacks it.
UNPACKING = {".tar": "cat", ".gz": "gzip -dc", ".tgz": "gzip -dc", ".zst": "zstd -dcq"}


def serve(config: Config, version: str) -> None:
    """Run a server until it is told to stop."""
    if os.geteuid():
        fatal("must run as root unless --rootless and/or --kubeconfig specified")
    place = payload.unpack(config.data)
    tools = place / "bin"
    os.environ["PATH"] = f"{os.environ['PATH']}:{tools}/aux"
    info(f"Starting k3s {version} (simulated)")
    pki.make(config, tools / "kubeadm")
    _mark_datastore(config.data)
    _write_network(config)
    (config.data / "server/logs").mkdir(mode=0o700, parents=True, exist_ok=True)
    running = Running(tools)
    running.start(programs.datastore(config))
    running.start(programs.runtime(config, tools))
    for program in programs.control_plane(config):
        running.start(program)
    _wait(running, "containerd", lambda: _answers(tools, "version"))
    import_images(config, tools)
    api = Api(config)
    _wait(running, "the API server", lambda: api.ask("GET", "/readyz") == "ok")
    kubeconfig = pki.write_kubeconfig(config)
    for program in programs.node(config):
        running.start(program)
    _wait(running, "the kubelet", _kubelet_is_healthy)
    _wait(running, "the node", lambda: _name_roles(config, api))
    controllers.start(config, api, [str(tools / "kubectl"), f"--kubeconfig={kubeconfig}"])
    info("k3s is up and running")
    ready()
    running.wait()


def import_images(config: Config, tools: Path) -> None:
    """Import the archives that lie in the folder for images, whether they are in or not."""
    folder = config.data / "agent/images"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    for archive in (path for path in found if path.suffix in UNPACKING):
        info(f"Importing images from {archive}")
        began = time.monotonic()
        with subprocess.Popen(
            [*UNPACKING[archive.suffix].split(), archive], stdout=subprocess.PIPE
        ) as unpacked:
            done = ctr(tools, "images", "import", "-", stdin=unpacked.stdout)
        if done.returncode or unpacked.returncode:
            warning(f"Unable to import {archive}: {done.stderr.strip()}")
        else:
            info(f"Imported images from {archive} in {time.monotonic() - began:.1f}s")


def ctr(
    tools: Path, *arguments: str, stdin: IO[bytes] | None = None
) -> subprocess.CompletedProcess[str]:
    """Ask containerd by its own tool."""
    command = [str(tools / "ctr"), f"--address={containerd.SOCKET}", "--namespace=k8s.io"]
    return subprocess.run([*command, *arguments], stdin=stdin, capture_output=True, text=True)


def _answers(tools: Path, question: str) -> bool:
    return ctr(tools, question).returncode == 0


def _kubelet_is_healthy() -> bool:
    try:
        with urllib.request.urlopen("http://127.0.0.1:10248/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _name_roles(config: Config, api: Api) -> bool:
    labels = {
        "node-role.kubernetes.io/control-plane": "true",
        "node.kubernetes.io/instance-type": "k3s",
    }
    api.merge(f"/api/v1/nodes/{config.node_name}", {"metadata": {"labels": labels}})
    return True


def _wait(running: Running, what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    last = ""
    while True:
        running.check()
        try:
            if holds():
                return
        except OSError as fault:
            last = str(fault)
        if time.monotonic() > deadline:
            fatal(f"waited {START_LIMIT_S} s for {what}: {last}")
        time.sleep(POLL_S)


def _mark_datastore(data: Path) -> None:
    """Leave the file that K3s would keep everything in, so that it is seen that it has run."""
    place = data / "server/db/state.db"
    if not place.exists():
        with sqlite3.connect(place) as database:
            database.execute("CREATE TABLE kine (id INTEGER PRIMARY KEY)")


def _write_network(config: Config) -> None:
    """Write the pods' network: a bridge cni0 with the node's part of the addresses."""
    subnet = config.one("cluster-cidr", "10.42.0.0/16").rpartition("/")[0] + "/24"
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipMasq": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": subnet}]]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    told = {"name": "cbr0", "cniVersion": "1.0.0", "plugins": [bridge, ports]}
    place = config.data / "agent/etc/cni/net.d/10-flannel.conflist"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(told, indent=2))
