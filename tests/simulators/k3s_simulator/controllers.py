"""What K3s' own controllers do, in short: packaged manifests, ServiceLB, local-path volumes."""

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k3s_simulator.api import Api
from k3s_simulator.config import Config
from k3s_simulator.payload import member
from k3s_simulator.told import info, warning

# The component that `disable` names, and its file; the others of K3s are not simulated.
PACKAGED = {
    "coredns": "coredns.yaml",
    "local-storage": "local-storage.yaml",
    "metrics-server": "metrics-server.yaml",
    "rolebindings": "rolebindings.yaml",
    "runtimes": "runtimes.yaml",
}
LOOKED_AT_EVERY_S = 15
AGAIN_AFTER_S = 1


def start(config: Config, api: Api, kubectl: list[str]) -> None:
    """Start them, each in a thread of its own."""
    folder = write_packaged(config)
    seen: dict[Path, float] = {}
    _begin(lambda: _apply(folder, kubectl, seen))
    if "servicelb" not in config.all("disable"):
        _begin(lambda: _serve_load_balancers(config, api))
    if "local-storage" not in config.all("disable"):
        _begin(lambda: _make_volumes(config, api))


def write_packaged(config: Config) -> Path:
    """Write K3s' own manifests, less the components that are disabled; return their folder."""
    folder = config.data / "server/manifests"
    folder.mkdir(parents=True, exist_ok=True)
    disabled = set(config.all("disable"))
    for component, name in PACKAGED.items():
        if component in disabled:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_text(member(f"manifests/{name}"))
    return folder


def _begin(work: Callable[[], None]) -> None:
    def for_ever() -> None:
        while True:
            try:
                work()
            except (OSError, ValueError, KeyError) as fault:
                warning(f"{type(fault).__name__}: {fault}")
            time.sleep(AGAIN_AFTER_S)

    threading.Thread(target=for_ever, daemon=True).start()


def _apply(folder: Path, kubectl: list[str], seen: dict[Path, float]) -> None:
    """Apply every manifest that is new or changed; the operator may lay some there too."""
    for file in sorted(folder.rglob("*.y*ml")):
        changed = file.stat().st_mtime
        if seen.get(file) == changed or file.with_name(f"{file.name}.skip").exists():
            continue
        how = ["apply", "--server-side", "--force-conflicts", "--field-manager=deploy@k3s"]
        done = subprocess.run([*kubectl, *how, "-f", str(file)], capture_output=True, text=True)
        if done.returncode:
            warning(f"Failed to process config: {file}: {done.stderr.strip()}")
            return
        info(f"Applied manifest at {file}")
        seen[file] = changed
    time.sleep(LOOKED_AT_EVERY_S)


def _serve_load_balancers(config: Config, api: Api) -> None:
    """Give each service of type LoadBalancer the node's address: there kube-proxy serves it."""
    wanted = {"loadBalancer": {"ingress": [{"ip": config.node_ip, "ipMode": "VIP"}]}}
    for service in api.watch("/api/v1/services"):
        if service["spec"].get("type") == "LoadBalancer" and service["status"] != wanted:
            api.merge(f"{_path(service, 'services')}/status", {"status": wanted})


def _make_volumes(config: Config, api: Api) -> None:
    """Make a folder and its volume for every claim of class local-path that a pod waits for."""
    home = config.one("default-local-storage-path", str(config.data / "storage"))
    for claim in api.watch("/api/v1/persistentvolumeclaims"):
        notes = claim["metadata"].get("annotations", {})
        waits = claim["status"]["phase"] == "Pending"
        chosen = "volume.kubernetes.io/selected-node" in notes
        if claim["spec"].get("storageClassName") == "local-path" and waits and chosen:
            volume = _volume(claim, home, config.node_name)
            place = Path(volume["spec"]["hostPath"]["path"])
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o777)
            try:
                api.ask("POST", "/api/v1/persistentvolumes", volume)
            except OSError as refused:
                if "AlreadyExists" not in str(refused):
                    raise


def _volume(claim: Any, home: str, node: str) -> Any:
    meta = claim["metadata"]
    name = f"pvc-{meta['uid']}"
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": "rancher.io/local-path"},
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": claim["spec"]["resources"]["requests"],
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: meta[key] for key in ("name", "namespace", "uid")},
            },
            "hostPath": {
                "path": f"{home}/{name}_{meta['namespace']}_{meta['name']}",
                "type": "DirectoryOrCreate",
            },
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "local-path",
        },
    }


def _path(found: Any, kind: str) -> str:
    meta = found["metadata"]
    return f"/api/v1/namespaces/{meta['namespace']}/{kind}/{meta['name']}"
