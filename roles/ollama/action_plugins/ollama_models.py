"""The task `ollama_models`: see that the model fetcher works, and wait for what answers first."""

from __future__ import annotations

import json
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from synapse_deploy.downloads.fetcher import PATIENCE_S, Fetcher, Status
from synapse_deploy.downloads.waiting import later, wait_for_first
from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_ollama.board import THERE
from synapse_ollama.order import ordered
from synapse_ollama.plan import State, fingerprint_of, plan

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "models": {"type": "list", "elements": "dict", "required": True},
    "prune": {"type": "bool", "required": True},
    "limit_s": {"type": "int", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller and speaks while it works."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return changed and what was brought; what could not be fetched is named at the end."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        models = json.loads(json.dumps(args["models"]))
        try:
            patience_s = 0.0 if self._task.check_mode else PATIENCE_S
            fetcher = Fetcher(KubeApi(args["kubeconfig"]), args["namespace"], patience_s)
            if self._task.check_mode:
                return {**result, **self._promise(fetcher, models, prune=args["prune"])}
            before = fetcher.look()
            after = wait_for_first(before, fetcher.status, args["limit_s"], self._say)
        except ApiError as error:
            return {**result, "failed": True, "msg": f"Nobody brings the models: {error}"}
        for line in later(after):
            self._say(line)
        changes = [f"brought {name}" for name in sorted(_there(after) - _there(before))]
        return {**result, "changed": bool(changes), "changes": changes}

    def _promise(
        self, fetcher: Fetcher, models: list[dict[str, Any]], *, prune: bool
    ) -> dict[str, Any]:
        """Say what the fetcher would do with these models."""
        try:
            state = fetcher.state()
        except ApiError as error:
            self._say(f"nobody can be asked ({error}); assuming that no model is there")
            state = State()
        actions = [str(action) for action in ordered(plan(models, state, prune=prune), models)]
        for action in actions:
            self._say(f"would {action}")
        diff = {"diff": _difference(models, state)} if self._task.diff and actions else {}
        return {"changed": bool(actions), "changes": actions, **diff}

    def _say(self, text: str) -> None:
        self._display.display(f"    {text}")


def _there(status: Status) -> set[str]:
    return {one.name for one in status.models if one.state == THERE}


def _difference(models: list[dict[str, Any]], state: State) -> dict[str, str]:
    before = {name: known["fingerprint"] for name, known in state.record.items()}
    after = {model["name"]: fingerprint_of(model, state) for model in models}
    header = "models of Ollama"
    return {
        "before_header": header,
        "after_header": header,
        "before": yaml.safe_dump(before, width=160) if before else "",
        "after": yaml.safe_dump(after, width=160) if after else "",
    }
