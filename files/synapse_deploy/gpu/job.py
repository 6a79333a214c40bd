"""The Job in which pods try the GPU: no more rights than an engine has, and no network."""

from __future__ import annotations

from typing import Any

from synapse_deploy.gpu.judge import DONE
from synapse_deploy.gpu.offer import RUNTIME_CLASS, SHARE

JOB = "gpu-check"
# Pods that nobody looks at any more, because the run was cut off, end by themselves.
ABANDONED_S = 900
SCRIPT = f"""set -e
nvidia-smi --query-gpu=name,uuid,memory.total,driver_version --format=csv,noheader,nounits
nvidia-smi | grep -i 'cuda.*version' || true
echo {DONE}
exec sleep {ABANDONED_S}
"""


def job(namespace: str, image: str) -> dict[str, Any]:
    """Return the Job for one pod; who makes it says how many run at the same time."""
    labels = {
        "app.kubernetes.io/name": JOB,
        "app.kubernetes.io/part-of": "synapse",
        "app.kubernetes.io/managed-by": "ansible",
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": JOB, "namespace": namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": ABANDONED_S,
            "ttlSecondsAfterFinished": 60,
            "template": {"metadata": {"labels": labels}, "spec": _pod(image)},
        },
    }


def _pod(image: str) -> dict[str, Any]:
    return {
        "runtimeClassName": RUNTIME_CLASS,
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": JOB,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", SCRIPT],
                # What the device plugin adds names the GPU; this names the driver's programs.
                "env": [{"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "utility"}],
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"cpu": "500m", "memory": "256Mi", SHARE: 1},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
