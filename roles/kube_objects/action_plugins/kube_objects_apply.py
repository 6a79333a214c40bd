"""The task `kube_objects_apply`: apply, wait and prune the objects of one component in one go."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_deploy.kube.deploy import deploy
from synapse_deploy.kube.manifests import plain
from synapse_deploy.kube.sync import Sync
from synapse_deploy.kube.wait import RolloutError

ARGUMENTS: dict[str, dict[str, Any]] = {
    "component": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "objects": {"type": "list", "elements": "dict", "required": True},
    "generated_secrets": {"type": "list", "elements": "dict", "default": []},
    "wait_s": {"type": "int", "required": True},
    "kubeconfig": {"type": "str", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller: only the Kubernetes API has to be reachable."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return changed, the changes as sentences, and a diff whose Secret values are hidden."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        check = bool(self._task.check_mode)
        try:
            api = KubeApi(args["kubeconfig"])
            sync = Sync(
                api, args["component"], args["namespace"], version=args["version"], check=check
            )
            deploy(
                api,
                sync,
                plain(args["objects"]),
                args["generated_secrets"],
                wait_s=None if check else args["wait_s"] or None,
                say=self._say,
            )
        except (ApiError, RolloutError) as error:
            return {**result, "failed": True, "msg": str(error)}
        for change in sync.changes:
            self._say(f"would {change}" if check else change)
        if self._task.diff:
            result["diff"] = sync.diffs
        return {**result, "changed": bool(sync.changes), "changes": sync.changes}

    def _say(self, text: str) -> None:
        self._display.display(f"    {text}")
