"""The programs that a server is made of, with the arguments that K3s gives them."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from k3s_simulator import containerd
from k3s_simulator.config import Config
from k3s_simulator.pki import encryption, made_by_kubeadm

# The names that K3s writes into its log.
API, CONTROLLERS, SCHEDULER = "apiserver", "controller-manager", "scheduler"


@dataclass(frozen=True)
class Program:
    """A program: what the log calls it, its file, its arguments, where its own log goes."""

    name: str
    file: str
    arguments: tuple[str, ...]
    log: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)


def datastore(config: Config) -> Program:
    """Return etcd, which keeps what K3s has in SQLite."""
    tls = made_by_kubeadm(config.data) / "etcd"
    arguments = {
        "name": config.node_name,
        "data-dir": str(config.data / "server/db/simulated-by-etcd"),
        "listen-client-urls": "https://127.0.0.1:2379",
        "advertise-client-urls": "https://127.0.0.1:2379",
        "listen-peer-urls": "http://127.0.0.1:2380",
        "initial-advertise-peer-urls": "http://127.0.0.1:2380",
        "initial-cluster": f"{config.node_name}=http://127.0.0.1:2380",
        "client-cert-auth": "true",
        "trusted-ca-file": str(tls / "ca.crt"),
        "cert-file": str(tls / "server.crt"),
        "key-file": str(tls / "server.key"),
        "unsafe-no-fsync": "true",
        "log-level": "error",
    }
    return Program("datastore", "etcd", _list(arguments))


def control_plane(config: Config) -> list[Program]:
    """Return the API server, the controllers and the scheduler."""
    tls = made_by_kubeadm(config.data)
    cred = config.data / "server/cred"
    services = config.one("service-cidr", "10.43.0.0/16")
    api = {
        "advertise-address": config.node_ip,
        "bind-address": config.one("bind-address", "0.0.0.0"),
        "secure-port": str(config.port),
        "allow-privileged": "true",
        "anonymous-auth": "false",
        "profiling": "false",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-cluster-ip-range": services,
        "service-node-port-range": config.one("service-node-port-range", "30000-32767"),
        "etcd-servers": "https://127.0.0.1:2379",
        "etcd-cafile": f"{tls}/etcd/ca.crt",
        "etcd-certfile": f"{tls}/apiserver-etcd-client.crt",
        "etcd-keyfile": f"{tls}/apiserver-etcd-client.key",
        "client-ca-file": f"{tls}/ca.crt",
        "tls-cert-file": f"{tls}/apiserver.crt",
        "tls-private-key-file": f"{tls}/apiserver.key",
        "kubelet-client-certificate": f"{tls}/apiserver-kubelet-client.crt",
        "kubelet-client-key": f"{tls}/apiserver-kubelet-client.key",
        "requestheader-client-ca-file": f"{tls}/front-proxy-ca.crt",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": f"{tls}/front-proxy-client.crt",
        "proxy-client-key-file": f"{tls}/front-proxy-client.key",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": f"{tls}/sa.pub",
        "service-account-signing-key-file": f"{tls}/sa.key",
    }
    if encrypted := encryption(config):
        api["encryption-provider-config"] = str(encrypted)
    controllers = {
        "kubeconfig": f"{cred}/controller.kubeconfig",
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        "profiling": "false",
        "use-service-account-credentials": "true",
        "allocate-node-cidrs": "true",
        "cluster-cidr": config.one("cluster-cidr", "10.42.0.0/16"),
        "service-cluster-ip-range": services,
        "root-ca-file": f"{tls}/ca.crt",
        "service-account-private-key-file": f"{tls}/sa.key",
        "cluster-signing-cert-file": f"{tls}/ca.crt",
        "cluster-signing-key-file": f"{tls}/ca.key",
    }
    scheduler = {
        "kubeconfig": f"{cred}/scheduler.kubeconfig",
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        "profiling": "false",
    }
    return [
        Program(API, "kube-apiserver", _list(api | config.arguments("kube-apiserver-arg"))),
        Program(CONTROLLERS, "kube-controller-manager",
                _list(controllers | config.arguments("kube-controller-manager-arg"))),
        Program(SCHEDULER, "kube-scheduler",
                _list(scheduler | config.arguments("kube-scheduler-arg"))),
    ]  # fmt: skip


def runtime(config: Config, programs: Path) -> Program:
    """Return containerd with its configuration written."""
    file = containerd.configure(config, programs / "ctr")
    log = config.data / "agent/containerd/containerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    found = f"{programs}:{programs}/aux:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin"
    return Program("containerd", "containerd", ("--config", str(file)), log, {"PATH": found})


def node(config: Config) -> list[Program]:
    """Return the kubelet, kube-proxy and kube-router, the last two unless they are switched off."""
    agent = config.data / "agent"
    kubelet = {
        "config": str(_kubelet_configuration(config)),
        "config-dir": str(agent / "etc/kubelet.conf.d"),
        "kubeconfig": f"{agent}/kubelet.kubeconfig",
        "root-dir": "/var/lib/kubelet",
        "hostname-override": config.node_name,
        "node-ip": config.node_ip,
        "node-labels": ",".join(config.all("node-label")),
    }
    if taints := config.all("node-taint"):
        kubelet["register-with-taints"] = ",".join(taints)
    if config.is_on("protect-kernel-defaults"):
        kubelet["protect-kernel-defaults"] = "true"
    proxy = {
        "kubeconfig": f"{agent}/kubeproxy.kubeconfig",
        "proxy-mode": "iptables",
        "healthz-bind-address": "127.0.0.1",
        "cluster-cidr": config.one("cluster-cidr", "10.42.0.0/16"),
        "hostname-override": config.node_name,
        # What is left alone in K3s too when it runs in a container: it is the machine's.
        "conntrack-max-per-core": "0",
        "conntrack-tcp-timeout-established": "0s",
        "conntrack-tcp-timeout-close-wait": "0s",
    }
    policies = {
        "kubeconfig": f"{agent}/kube-router.kubeconfig",
        "hostname-override": config.node_name,
        "run-firewall": "true",
        "run-router": "false",
        "run-service-proxy": "false",
        "run-loadbalancer": "false",
        "enable-cni": "false",
        "service-cluster-ip-range": config.one("service-cidr", "10.43.0.0/16"),
        "health-port": "0",
    }
    found = [Program("kubelet", "kubelet", _list(kubelet | config.arguments("kubelet-arg")))]
    if not config.is_on("disable-kube-proxy"):
        found.append(
            Program("kube-proxy", "kube-proxy", _list(proxy | config.arguments("kube-proxy-arg")))
        )
    if not config.is_on("disable-network-policy"):
        found.append(Program("network-policy", "kube-router", _list(policies)))
    return found


def _kubelet_configuration(config: Config) -> Path:
    tls = made_by_kubeadm(config.data)
    place = config.data / "agent/etc/kubelet.conf.d/00-k3s-defaults.conf"
    place.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(tls / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "clusterDNS": [config.one("cluster-dns", "10.43.0.10")],
        "clusterDomain": config.one("cluster-domain", "cluster.local"),
        "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
        "evictionHard": {"imagefs.available": "5%", "nodefs.available": "5%"},
        "evictionMinimumReclaim": {"imagefs.available": "10%", "nodefs.available": "10%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "readOnlyPort": 0,
        "resolvConf": "/etc/resolv.conf",
        "serializeImagePulls": False,
    }
    place.write_text(yaml.safe_dump(told))
    return place


def _list(arguments: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"--{name}={value}" for name, value in arguments.items())
