"""Certificates, kubeconfigs, token and encryption key, at K3s' places."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from k3s_simulator.config import Config
from k3s_simulator.told import info

RENEWED_BEFORE_S = 120 * 24 * 3600
# K3s' name of a certificate and its key, and kubeadm's.
NAMES = {
    "server-ca": "ca",
    "client-ca": "ca",
    "request-header-ca": "front-proxy-ca",
    "serving-kube-apiserver": "apiserver",
    "client-kube-apiserver": "apiserver-kubelet-client",
    "client-auth-proxy": "front-proxy-client",
}
# kubeadm's kubeconfig, and K3s' place for it below the data folder.
KUBECONFIGS = {
    "super-admin": "server/cred/admin",
    "controller-manager": "server/cred/controller",
    "scheduler": "server/cred/scheduler",
    "kubelet": "agent/kubelet",
    "kube-proxy": "agent/kubeproxy",
    "kube-router": "agent/kube-router",
}


def made_by_kubeadm(data: Path) -> Path:
    """Return the folder of kubeadm's certificates."""
    return data / "server/tls/made-by-kubeadm"


def make(config: Config, kubeadm: Path) -> None:
    """Make what is not there yet, and anew what ends soon; K3s does it too when it starts."""
    data, tls = config.data, config.data / "server/tls"
    folder = made_by_kubeadm(data)
    for place in (folder, data / "server/cred", data / "agent/etc", data / "server/db"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = yaml.safe_dump_all(_cluster(config, folder, _version(kubeadm)))
    settings = folder / "kubeadm.yaml"
    if not _drop_old(tls, folder) and settings.exists() and settings.read_text() == wanted:
        return _token(config)
    _write(folder / "kubeadm-new.yaml", wanted)
    _issue(kubeadm, folder)
    for name, kubeconfig in KUBECONFIGS.items():
        _write(data / f"{kubeconfig}.kubeconfig", (folder / f"{name}.conf").read_text())
    for name, kubeadms in NAMES.items():
        for kind in ("crt", "key"):
            _write(tls / f"{name}.{kind}", (folder / f"{kubeadms}.{kind}").read_text())
    user = yaml.safe_load((folder / "super-admin.conf").read_text())["users"][0]["user"]
    for kind, key in (("crt", "client-certificate-data"), ("key", "client-key-data")):
        _write(tls / f"client-admin.{kind}", base64.b64decode(user[key]).decode())
    (folder / "kubeadm-new.yaml").rename(settings)
    return _token(config)


def write_kubeconfig(config: Config) -> Path:
    """Write the administrator's kubeconfig where it is asked for, with the mode asked for."""
    place = Path(config.one("write-kubeconfig", "/etc/rancher/k3s/k3s.yaml"))
    found = yaml.safe_load((config.data / "server/cred/admin.kubeconfig").read_text())
    cluster, user = found["clusters"][0], found["users"][0]
    cluster["name"] = user["name"] = found["current-context"] = "default"
    found["contexts"] = [{"name": "default", "context": {"cluster": "default", "user": "default"}}]
    text = yaml.safe_dump(found)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists() or place.read_text() != text:
        _write(place, text)
    place.chmod(int(config.one("write-kubeconfig-mode", "600"), 8))
    if group := config.one("write-kubeconfig-group"):
        shutil.chown(place, group=group)
    info(f"Wrote kubeconfig {place}")
    return place


def encryption(config: Config) -> Path | None:
    """Return the file that tells the API server how Secrets are encrypted, when they are to be."""
    place = config.data / "server/cred/encryption-config.json"
    if not config.is_on("secrets-encryption"):
        return place if place.exists() else None
    if not place.exists():
        key = {"name": "aescbckey", "secret": base64.b64encode(secrets.token_bytes(32)).decode()}
        providers = [{"aescbc": {"keys": [key]}}, {"identity": {}}]
        kind = {"kind": "EncryptionConfiguration", "apiVersion": "apiserver.config.k8s.io/v1"}
        resources = [{"resources": ["secrets"], "providers": providers}]
        _write(place, json.dumps(kind | {"resources": resources}))
    return place


def _token(config: Config) -> None:
    place = config.data / "server/token"
    said = config.one("token") or _content(config.one("token-file"))
    if place.exists() and not said:
        return
    password = said.rpartition(":")[2] or secrets.token_hex(16)
    authority = (config.data / "server/tls/server-ca.crt").read_bytes()
    _write(place, f"K10{hashlib.sha256(authority).hexdigest()}::server:{password}\n")
    for name in ("node-token", "agent-token"):
        (place.parent / name).unlink(missing_ok=True)
        (place.parent / name).symlink_to(place)


def _content(file: str) -> str:
    return Path(file).read_text().strip() if file else ""


def _issue(kubeadm: Path, folder: Path) -> None:
    """Have kubeadm make what is missing; a certificate without the names wanted is made anew."""
    settings = ("--config", folder / "kubeadm-new.yaml")
    for name in ("apiserver.crt", "apiserver.key"):
        (folder / name).unlink(missing_ok=True)
    _run(kubeadm, "init", "phase", "certs", "all", *settings)
    _run(kubeadm, "init", "phase", "kubeconfig", "all", *settings, "--kubeconfig-dir", folder)
    for client in ("kube-proxy", "kube-router"):
        made = _run(kubeadm, "kubeconfig", "user", *settings, "--client-name", f"system:{client}")
        _write(folder / f"{client}.conf", made)


def _drop_old(tls: Path, folder: Path) -> bool:
    """Remove what ends soon and tell whether anything did; the authorities last for ten years."""
    old = any(_end(path) - time.time() < RENEWED_BEFORE_S for path in tls.glob("*.crt"))
    if old:
        info("Certificates end in less than 120 days, renewing them")
        for path in {
            found for names in ("*.conf", "*apiserver*", "*client*") for found in folder.glob(names)
        }:
            path.unlink()
    return old


def _end(certificate: Path) -> float:
    decoded = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]
    return ssl.cert_time_to_seconds(decoded["notAfter"])


def _cluster(config: Config, folder: Path, version: str) -> list[dict[str, Any]]:
    api = "kubeadm.k8s.io/v1beta4"
    names = ["127.0.0.1", "localhost", config.node_name, config.node_ip, *config.all("tls-san")]
    networks = {
        "podSubnet": config.one("cluster-cidr", "10.42.0.0/16"),
        "serviceSubnet": config.one("service-cidr", "10.43.0.0/16"),
        "dnsDomain": config.one("cluster-domain", "cluster.local"),
    }
    node = {
        "apiVersion": api,
        "kind": "InitConfiguration",
        "localAPIEndpoint": {"advertiseAddress": config.node_ip, "bindPort": config.port},
        "nodeRegistration": {"name": config.node_name},
    }
    cluster = {
        "apiVersion": api,
        "kind": "ClusterConfiguration",
        "kubernetesVersion": version,
        "certificatesDir": str(folder),
        "controlPlaneEndpoint": f"127.0.0.1:{config.port}",
        "networking": networks,
        "apiServer": {"certSANs": names},
    }
    return [node, cluster]


def _version(kubeadm: Path) -> str:
    return _run(kubeadm, "version", "--output=short").strip()


def _run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{command[0]} {command[1]} failed: {done.stderr.strip()}")
    return done.stdout


def _write(place: Path, text: str) -> None:
    partial = place.with_name(f".{place.name}.partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.replace(place)
