"""The task `speech_availability`: check that every speech model and voice is served."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.action import ActionBase

from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_deploy.kube.wait import RolloutError
from synapse_deploy.speech_availability import ENGINES, Availability

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "models": {"type": "list", "elements": "str", "required": True},
    "voices": {"type": "list", "elements": "str", "required": True},
    "offline": {"type": "bool", "required": True},
    "rolled_out": {"type": "list", "elements": "str", "required": True},
    "limit_s": {"type": "int", "required": True},
}


class ActionModule(ActionBase):
    """Runs on the controller and speaks while it works."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return changed, what was done as sentences, and all that is missing in one message."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        args = json.loads(json.dumps(args))
        changes: list[str] = []
        failures: list[str] = []
        try:
            api = KubeApi(args["kubeconfig"])
        except ApiError as error:
            return {**result, "failed": True, "msg": str(error)}
        for engine in ENGINES:
            availability = Availability(api, args["namespace"], engine, args[engine.kind])
            if not availability.wanted:
                continue
            try:
                changed, missing = self._complete(availability, args)
            except (ApiError, RolloutError) as error:
                failures.append(
                    f"{engine.deployment} cannot be asked for its availability: {error}"
                )
                continue
            changes += changed
            failures += [f"{name} is not served: {why}" for name, why in missing.items()]
        if failures:
            result |= {"failed": True, "msg": "\n".join(failures)}
        return {**result, "changed": bool(changes), "changes": changes}

    def _complete(
        self, availability: Availability, args: dict[str, Any]
    ) -> tuple[list[str], dict[str, str]]:
        """Return what was done, and what is still missing."""
        if self._task.check_mode:
            return self._promise(availability, offline=args["offline"]), {}
        missing = availability.missing()
        if not missing or f"Deployment {availability.engine.deployment}" in args["rolled_out"]:
            return [], missing
        self._say(f"fetching again what is missing: {', '.join(missing)}")
        availability.retry(args["limit_s"], self._say)
        left = availability.missing()
        return [f"fetched {name}" for name in missing if name not in left], left

    def _promise(self, availability: Availability, *, offline: bool) -> list[str]:
        """Return what a run would fetch; offline it would only name what is missing."""
        try:
            missing = list(availability.missing())
        except ApiError as error:
            who = availability.engine.deployment
            self._say(f"{who} cannot be asked ({error}); assuming that nothing is there")
            missing = availability.wanted
        for name in missing:
            self._say(f"would {'miss' if offline else 'fetch'} {name}")
        return [] if offline else [f"fetch {name}" for name in missing]

    def _say(self, text: str) -> None:
        self._display.display(f"    {text}")
