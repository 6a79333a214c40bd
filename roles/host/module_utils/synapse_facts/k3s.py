"""K3s on a server, whoever installed it."""

from __future__ import annotations

import json
import os
import re
import stat

from .containerd import certificates_end, containerd_of
from .processes import Processes
from .secrets import without_secrets, without_values
from .server import Facts, Server
from .units import state_of


def k3s_of(server: Server, units: dict[str, dict[str, str]], processes: Processes) -> Facts:
    """Return K3s, whoever installed it."""
    has_server = state_of(units, "k3s.service") != "absent"
    is_agent = not has_server and state_of(units, "k3s-agent.service") != "absent"
    name = "k3s-agent.service" if is_agent else "k3s.service"
    unit = units.get(name, {})
    argv = re.search(r"argv\[\]=(.*?) ;", unit.get("ExecStart", ""))
    words = argv.group(1).split() if argv else []
    binary = words[0] if words and server.exists(words[0]) else ""
    if not binary and (found := server.program("k3s")):
        binary = found[len(server.root) :]
    version = re.search(r"k3s version (\S+)", server.says(binary or "k3s", "--version"))
    main = option_of(words, "config", "c") or "/etc/rancher/k3s/config.yaml"
    texts = {path: server.text(path) for path in (main, *server.glob(f"{main}.d/*.y*ml"))}
    config = "\n".join(texts.values())
    environment = server.text(f"/etc/systemd/system/{name}.env")
    data = option_of(words, "data-dir", "d") or config_value(config, "data-dir")
    data = data or "/var/lib/rancher/k3s"
    is_external = bool(
        option_of(words, "datastore-endpoint")
        or config_value(config, "datastore-endpoint")
        or "K3S_DATASTORE_ENDPOINT=" in environment
    )
    files, faults = without_secrets(texts)
    record = record_of(server)
    return {
        "version": version.group(1) if version else "",
        "binary": binary,
        "unit": state_of(units, name),
        "main_pid": int(unit.get("MainPID") or 0),
        "has_run": any(
            server.exists(data + part)
            for part in ("/server/db/state.db", "/server/db/etcd", "/agent/client-kubelet.crt",
                         "/agent/containerd")
        ),
        "datastore": datastore_of(server, data, is_external=is_external),
        "data_dir": data,
        "arguments": without_values(words[1:]),
        "config_files": files,
        "config_faults": faults,
        "config_mode": mode_of(server, main),
        **containerd_of(server, data, processes, int(unit.get("MainPID") or 0)),
        "certificates_end": certificates_end(server, data),
        "is_agent": is_agent,
        "ours": str(record.get("k3s") or ""),
        "was_lived_in": record.get("was_lived_in"),
    }  # fmt: skip


def record_of(server: Server) -> Facts:
    """Return what the role wrote down about this server."""
    try:
        record = json.loads(server.text("/etc/synapse/server.json") or "{}")
    except ValueError:
        record = None
    if isinstance(record, dict):
        return record
    server.unseen.add("/etc/synapse/server.json is damaged, so this server counts as lived in.")
    return {"was_lived_in": True}


def option_of(words: list[str], name: str, letter: str = "") -> str:
    """Return the value of an option in arguments, `--name value` or `--name=value`."""
    for at, word in enumerate(words):
        if word == f"--{name}" or (letter and word == f"-{letter}"):
            return words[at + 1] if at + 1 < len(words) else ""
        if word.startswith(f"--{name}="):
            return word.split("=", 1)[1]
    return ""


def config_value(config: str, name: str) -> str:
    """Return a plain value of K3s' configuration."""
    found = re.search(rf"^[\"']?{name}[\"']?\s*:\s*[\"']?([^\s\"'#]+)", config, re.M)
    return found.group(1) if found else ""


def datastore_of(server: Server, data: str, is_external: bool) -> str:
    """Return where K3s keeps its state."""
    if is_external:
        return "external"
    if server.exists(f"{data}/server/db/etcd"):
        return "etcd"
    return "sqlite" if server.exists(f"{data}/server/db/state.db") else "none"


def mode_of(server: Server, path: str) -> str:
    """Return a file's permissions, such as 0600; empty without such a file."""
    try:
        return f"{stat.S_IMODE(os.stat(server.at(path)).st_mode):04o}"
    except OSError:
        return ""
