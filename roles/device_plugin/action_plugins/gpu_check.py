"""The task `gpu_check`: pods try the GPU at the same time, and what they saw is shown."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from synapse_deploy.gpu.check import Gpu, GpuError, Limits
from synapse_deploy.kube.api import ApiError, KubeApi

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "image": {"type": "str", "required": True},
    "engines": {"type": "int", "required": True},
    "offer_wait_s": {"type": "int", "required": True},
    "check_wait_s": {"type": "int", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller; what it makes in the cluster is gone when it ends."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return what was seen as sentences; fail with the reason where nothing was."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        if self._task.check_mode:
            self._say("would try the GPU with two pods")
            return {**result, "changed": False, "seen": []}
        limits = Limits(offer_s=args["offer_wait_s"], check_s=args["check_wait_s"])
        try:
            gpu = Gpu(KubeApi(args["kubeconfig"]), self._say)
            seen = gpu.try_it(str(args["namespace"]), str(args["image"]), args["engines"], limits)
        except (ApiError, GpuError) as error:
            return {**result, "failed": True, "msg": str(error)}
        for line in seen:
            self._say(line)
        return {**result, "changed": False, "seen": seen}

    def _say(self, text: str) -> None:
        self._display.display(f"    {text}")
