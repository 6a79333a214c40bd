"""The task `speech_models`: bring the models that hear onto Speaches' volume."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

# Ansible loads a plugin by its file; its helpers have to be made importable.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "kube_objects" / "module_utils"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
from kube_api import ApiError, KubeApi
from speech_downloads import Downloads

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "models": {"type": "list", "elements": "dict", "required": True},
    "offline": {"type": "bool", "required": True},
    "limit_s": {"type": "int", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller and speaks while it works."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return changed, what was done as sentences, and every failure in one message."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        models = json.loads(json.dumps(args["models"]))
        check = bool(self._task.check_mode)
        try:
            api = KubeApi(args["kubeconfig"])
            downloads = Downloads(api, args["namespace"], args["limit_s"], self._say)
            missing = self._missing(downloads, models, check=check)
        except ApiError as error:
            return {**result, "failed": True, "msg": f"Speaches cannot be asked: {error}"}
        if missing and args["offline"]:
            names = ", ".join(missing)
            return {**result, "failed": True, "msg": f"Not on the volume, and offline: {names}"}
        if check:
            for source in missing:
                self._say(f"would download {source}")
            return {**result, "changed": bool(missing)}
        outcome = downloads.fetch(missing)
        if outcome.failed:
            result |= {"failed": True, "msg": "\n".join(outcome.failed)}
        return {**result, "changed": bool(outcome.done), "changes": outcome.done}

    def _missing(
        self, downloads: Downloads, models: list[dict[str, Any]], *, check: bool
    ) -> list[str]:
        try:
            return downloads.missing(models)
        except ApiError as error:
            if not check:
                raise
            self._say(f"Speaches cannot be asked ({error}); assuming that no model is there")
            return list(dict.fromkeys(str(model["source"]) for model in models))

    def _say(self, text: str) -> None:
        self._display.display(f"    {text}")
