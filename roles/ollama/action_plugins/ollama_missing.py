"""The task `ollama_missing`: name every model that could not be fetched so far."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from synapse_deploy.downloads.fetcher import PATIENCE_S, Fetcher
from synapse_deploy.downloads.waiting import missing
from synapse_deploy.kube.api import ApiError, KubeApi

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller; changes nothing."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Fail with a sentence for each model that is missing; return nothing else."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            fetcher = Fetcher(KubeApi(args["kubeconfig"]), args["namespace"], PATIENCE_S)
            told = missing(fetcher.status())
        except ApiError as error:
            told = [f"the model fetcher cannot be asked for what is missing: {error}"]
        return {**result, "failed": True, "msg": "\n".join(told)} if told else result
