"""What of K3s' CIS hardening guide one node can take, and what each part changes for others.

Source: K3s' documentation, "CIS Hardening Guide". Its network policies for kube-system are left
out: they cut CoreDNS, metrics-server and the load balancer off from everybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LOGS_MODE = "0700"
POLICIES_MODE = "0600"

# An exempt namespace holds pods of K3s itself (svclb, local-path's helpers, the device plugin).
EXEMPT_NAMESPACES = ("kube-system",)

AUDIT_POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    # Each request once, when it is answered.
    "omitStages": ["RequestReceived"],
    "rules": [
        # K3s asks all day for these; who looks for a person's doing does not look here.
        {
            "level": "None",
            "users": [
                "system:apiserver",
                "system:kube-controller-manager",
                "system:kube-proxy",
                "system:kube-scheduler",
            ],
            "verbs": ["get", "list", "watch"],
        },
        {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
        # Who did what to which object, and never a body: a Secret's is its value, and so are
        # those of a token review and of a pod that is given a token.
        {"level": "Metadata"},
    ],
}

ADMISSION: dict[str, Any] = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AdmissionConfiguration",
    "plugins": [
        {
            "name": "PodSecurity",
            "configuration": {
                "apiVersion": "pod-security.admission.config.k8s.io/v1",
                "kind": "PodSecurityConfiguration",
                "defaults": {
                    # The guide says restricted. Synapse's own namespace says so itself; here it
                    # would refuse nearly every program that its owner installs later.
                    "enforce": "baseline",
                    "enforce-version": "latest",
                    "audit": "restricted",
                    "audit-version": "latest",
                    "warn": "restricted",
                    "warn-version": "latest",
                },
                "exemptions": {
                    "usernames": [],
                    "runtimeClasses": [],
                    "namespaces": list(EXEMPT_NAMESPACES),
                },
            },
        },
        # The guide turns it on without a limit, and the API server refuses to start so.
        {
            "name": "EventRateLimit",
            "configuration": {
                "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1",
                "kind": "Configuration",
                "limits": [{"type": "Server", "qps": 5000, "burst": 20000}],
            },
        },
    ],
}

CIPHERS = (
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
)


@dataclass(frozen=True)
class Part:
    """A piece of hardening, as K3s' configuration takes it, and what it changes for others."""

    what: str
    changes: str
    config: dict[str, Any]


def parts(data_dir: str) -> tuple[Part, ...]:
    """Return every piece, for a K3s whose data lies there."""
    server = f"{data_dir}/server"
    return (
        Part(
            "protect-kernel-defaults",
            "kubelet stops, instead of changing them itself, where a kernel setting was changed;"
            " K3s' next start needs the settings first",
            {"protect-kernel-defaults": True},
        ),
        Part(
            "audit",
            "who did what is written to server/logs/audit.log, at most 1.1 GB; nothing is refused",
            {
                "kube-apiserver-arg": [
                    f"audit-policy-file={server}/audit.yaml",
                    f"audit-log-path={server}/logs/audit.log",
                    "audit-log-maxage=30",
                    "audit-log-maxbackup=10",
                    "audit-log-maxsize=100",
                ]
            },
        ),
        Part(
            "pod-security",
            "a new pod that is privileged, mounts a folder of the host or shares its network is"
            " refused outside kube-system, unless its namespace carries the label"
            " pod-security.kubernetes.io/enforce: privileged; pods that run stay until they are"
            " made anew",
            {
                "kube-apiserver-arg": [
                    "enable-admission-plugins=NodeRestriction,EventRateLimit",
                    f"admission-control-config-file={server}/psa.yaml",
                ]
            },
        ),
        Part(
            "tokens",
            "a pod's token ends after an hour; a program that reads it once and never again is"
            " refused from then on",
            {"kube-apiserver-arg": ["service-account-extend-token-expiration=false"]},
        ),
        Part(
            "finished-pods",
            "of pods that ended, the newest hundred are kept instead of 12500",
            {"kube-controller-manager-arg": ["terminated-pod-gc-threshold=100"]},
        ),
        Part(
            "kubelet",
            "an exec or a port forward that is silent for five minutes is closed, and an old"
            " client without ECDHE no longer reaches kubelet",
            {
                "kubelet-arg": [
                    "streaming-connection-idle-timeout=5m",
                    f"tls-cipher-suites={','.join(CIPHERS)}",
                ]
            },
        ),
    )


def config(data_dir: str) -> dict[str, Any]:
    """Return all of it as keys of K3s' config.yaml; lists are to be added to those of others."""
    merged: dict[str, Any] = {}
    for part in parts(data_dir):
        for key, value in part.config.items():
            merged[key] = [*merged.get(key, []), *value] if isinstance(value, list) else value
    return merged
