"""The containerd and the certificates of K3s."""

from __future__ import annotations

import os
import re
import ssl
from datetime import datetime

from .processes import Processes
from .server import Facts, Server


def containerd_of(server: Server, data: str, processes: Processes, main_pid: int) -> Facts:
    """Return how K3s' containerd is set up, and whether a hand wrote into what K3s writes."""
    folder = f"{data}/agent/etc/containerd"
    templates = server.glob(f"{folder}/*.tmpl")
    bases = [re.search(r"template\s+\"base\"", server.text(path)) for path in templates]
    config = f"{folder}/config.toml"
    text = server.text(config)
    return {
        "templates": [os.path.basename(path) for path in templates],
        "template_has_base": all(bases),
        "containerd_edited": is_newer(server, config, processes, main_pid),
        "containerd_runtimes": sorted(
            set(re.findall(r"^\s*\[plugins.*\bruntimes\.[\"']?([\w-]+)[\"']?\]", text, re.M))
        ),
    }


def is_newer(server: Server, config: str, processes: Processes, main_pid: int) -> bool:
    """Tell whether config.toml was written after containerd read it: K3s writes just before."""
    ours = [pid for pid, words in processes.containerds.items() if config in words]
    boot = re.search(r"^btime (\d+)", server.text("/proc/stat"), re.M)
    for pid, grace_s in [*((pid, 5.0) for pid in ours), (main_pid, 600.0)]:
        after = server.text(f"/proc/{pid}/stat").rpartition(")")[2].split() if pid else []
        if len(after) > 19 and boot:
            started = int(boot.group(1)) + int(after[19]) / os.sysconf("SC_CLK_TCK")
            try:
                return os.stat(server.at(config)).st_mtime > started + grace_s
            except OSError:
                return False
    return False


def certificates_end(server: Server, data: str) -> str:
    """Return when the first of K3s' own certificates ends; authorities last ten years."""
    decode = getattr(getattr(ssl, "_ssl", None), "_test_decode_cert", None)
    ends = []
    for path in [*server.glob(f"{data}/server/tls/*.crt"), *server.glob(f"{data}/agent/*.crt")]:
        if decode is None or path.endswith("-ca.crt"):
            continue
        try:
            after = decode(server.at(path))["notAfter"]
            ends.append(datetime.strptime(after, "%b %d %H:%M:%S %Y %Z"))
        except (OSError, ValueError, KeyError):
            continue
    return min(ends).strftime("%Y-%m-%dT%H:%M:%SZ") if ends else ""
