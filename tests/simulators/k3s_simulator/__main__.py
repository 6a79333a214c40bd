"""The commands of the file `k3s`."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from k3s_simulator import containerd, payload
from k3s_simulator.config import DEFAULT_DATA, Config, read

TOOLS = ("kubectl", "ctr")
NOT_SIMULATED = (
    "agent", "certificate", "check-config", "completion", "crictl", "etcd-snapshot", "token",
)  # fmt: skip


def main() -> int:
    """Do what the first argument says, or the name by which the file was called."""
    called = Path(sys.argv[0]).name
    arguments = [called, *sys.argv[1:]] if called in TOOLS else sys.argv[1:]
    command = arguments[0] if arguments else "--help"
    version = payload.member("version").strip()
    if command in ("--version", "-v"):
        print(f"k3s version {version} (simulated)\ngo version go1.26.8")
    elif command == "server":
        from k3s_simulator.server import serve

        serve(read(arguments[1:]), version)
    elif command in TOOLS:
        tool(command, arguments[1:])
    elif arguments[:2] == ["secrets-encrypt", "status"]:
        print(encryption_status(read([])))
    elif command in NOT_SIMULATED:
        print(f"k3s {command}: the simulator has no such command", file=sys.stderr)
        return 1
    elif command in ("--help", "help"):
        print("k3s - Kubernetes, but small and simple (simulated)")
    else:
        print(f"No help topic for '{command}'", file=sys.stderr)
        return 3
    return 0


def tool(name: str, arguments: list[str]) -> NoReturn:
    """Become one of the programs inside, which knows where the server is."""
    config = read([])
    program = payload.unpack(_data(config)) / "bin" / name
    if name == "kubectl":
        os.environ.setdefault("KUBECONFIG", "/etc/rancher/k3s/k3s.yaml")
    else:
        os.environ.setdefault("CONTAINERD_ADDRESS", str(containerd.SOCKET))
        os.environ.setdefault("CONTAINERD_NAMESPACE", "k8s.io")
    os.execv(program, [name, *arguments])


def encryption_status(config: Config) -> str:
    """Return what K3s says about the encryption of Secrets."""
    if not (config.data / "server/cred/encryption-config.json").exists():
        return "Encryption Status: Disabled, no configuration file found"
    return (
        "Encryption Status: Enabled\nCurrent Rotation Stage: start\n"
        "Server Encryption Hashes: All hashes match\n\n"
        "Active  Key Type  Name\n------  --------  ----\n *      AES-CBC   aescbckey"
    )


def _data(config: Config) -> Path:
    """Return the data folder; who may not write there has one of their own, as with K3s."""
    if os.access(config.data, os.W_OK) or os.geteuid() == 0:
        return config.data
    return Path.home() / DEFAULT_DATA.removeprefix("/var/lib/").replace("rancher", ".rancher")


if __name__ == "__main__":
    sys.exit(main())
