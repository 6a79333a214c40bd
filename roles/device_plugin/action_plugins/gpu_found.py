"""The task `gpu_found`: wait until K3s offers the runtime, and name device plugins of others."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from synapse_deploy.gpu.check import Gpu, GpuError
from synapse_deploy.kube.api import ApiError, KubeApi

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "limit_s": {"type": "int", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller and changes nothing."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the device plugins that are not ours; fail where there is no runtime."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        check = bool(self._task.check_mode)
        try:
            gpu = Gpu(KubeApi(args["kubeconfig"]), self._say)
            if not check:
                gpu.wait_for_runtime_class(args["limit_s"])
            others = gpu.plugins_of_others()
        except (ApiError, GpuError) as error:
            if check:
                self._say(f"would share the GPU and try it. Now nobody can be asked: {error}")
                return {**result, "changed": True, "others": [], "reached": False}
            return {**result, "failed": True, "msg": str(error)}
        for name in others:
            self._say(f"{name} is not Synapse's: it stays as it is, and no other is deployed")
        return {**result, "changed": False, "others": others, "reached": True}

    def _say(self, text: str) -> None:
        self._display.display(f"    {text}")
