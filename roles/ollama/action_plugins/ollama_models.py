"""The task `ollama_models`: bring the models on Ollama's volume to the catalogue."""

from __future__ import annotations

import json
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_deploy.ollama.client import Ollama, OllamaError
from synapse_deploy.ollama.plan import (
    GIB,
    Action,
    State,
    extras,
    fingerprint_of,
    plan,
)
from synapse_deploy.ollama.reconcile import Limits, Outcome, Reconciler
from synapse_deploy.ollama.transport import KubeTransport

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "models": {"type": "list", "elements": "dict", "required": True},
    "prune": {"type": "bool", "required": True},
    "reserve_gib": {"type": "float", "required": True},
    "stall_s": {"type": "int", "required": True},
    "insecure_registries": {"type": "list", "elements": "str", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller and speaks while it works."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return changed, what was done as sentences, and every failure in one message."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        models = json.loads(json.dumps(args["models"]))
        try:
            ollama, state = self._reach(args, check=bool(self._task.check_mode))
        except (ApiError, OllamaError) as error:
            return {**result, "failed": True, "msg": f"Ollama cannot be reached: {error}"}
        actions = plan(models, state, prune=args["prune"])
        if not args["prune"]:
            self._mention(extras(models, state))
        outcome = self._carry_out(ollama, state, actions, args)
        if self._task.diff and actions:
            result["diff"] = _difference(models, state)
        if outcome.failed:
            result |= {"failed": True, "msg": "\n".join(outcome.failed)}
        return {**result, "changed": bool(outcome.done), "changes": outcome.done}

    def _reach(self, args: dict[str, Any], *, check: bool) -> tuple[Ollama | None, State]:
        api = KubeApi(args["kubeconfig"])
        try:
            ollama = Ollama(KubeTransport(api, args["namespace"]))
            state = ollama.state()
        except OllamaError as error:
            if not check:
                raise
            self._say(f"Ollama cannot be asked ({error}); assuming that no model is there")
            return None, State()
        return (None if check else ollama), state

    def _carry_out(
        self, ollama: Ollama | None, state: State, actions: list[Action], args: dict[str, Any]
    ) -> Outcome:
        if ollama is None:
            for action in actions:
                self._say(f"would {action}")
            return Outcome(done=[str(action) for action in actions])
        limits = Limits(
            reserve_bytes=int(args["reserve_gib"] * GIB),
            stall_s=args["stall_s"],
            insecure_registries=tuple(args["insecure_registries"]),
        )
        return Reconciler(ollama, dict(state.record), limits, self._say).run(actions)

    def _mention(self, unnamed: dict[str, int]) -> None:
        for tag, size in unnamed.items():
            self._say(
                f"{tag} ({size / GIB:.1f} GiB) is not in the catalogue; "
                "ollama_prune_models: true removes it"
            )

    def _say(self, text: str) -> None:
        self._display.display(f"    {text}")


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
