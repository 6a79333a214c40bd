"""Wait until K3s' node is Ready and its system pods run, and say what is missing at the end."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

DOCUMENTATION = r"""
module: k3s_ready
short_description: Wait until a node of K3s is Ready and its system pods run
description:
  - Gives up early where K3s stops again and again, and quotes its last lines.
options:
  node: {type: str, required: true, description: Name of the node.}
  pods: {type: list, elements: str, required: true, description: How the system pods' names begin.}
  limit_s: {type: int, required: true, description: After which time it gives up.}
"""
PAUSE_S = 2.0
# K3s may stop once or twice while it waits for the network.
STOPS = 4
LINES = 15
Run = Callable[..., str]


class Waiting:
    """A node that is not Ready yet."""

    def __init__(self, args: dict[str, Any], run: Run) -> None:
        """Take the module's arguments, and how a command is run: empty where it fails."""
        self.node, self.pods, self.run = str(args["node"]), list(args["pods"]), run

    def missing(self) -> str:
        """Return what is still missing, in words; empty when all is there."""
        state = self._shown("ActiveState")
        if state in ("activating", "deactivating"):
            return f"K3s is {state}"
        nodes = self._asked("nodes")
        if nodes is None:
            return "the Kubernetes API does not answer"
        conditions = {
            one["metadata"]["name"]: {
                said["type"]: said for said in one.get("status", {}).get("conditions", [])
            }
            for one in nodes
        }
        if self.node not in conditions:
            return f"the node {self.node} is not registered (there is {sorted(conditions)})"
        ready = conditions[self.node].get("Ready", {})
        if ready.get("status") != "True":
            return f"the node {self.node} is not Ready: {ready.get('message', 'it says nothing')}"
        if not self._has_reported():
            return f"the kubelet of {self.node} has not reported since K3s' start"
        return self._pods(self._asked("pods", "--namespace=kube-system") or [])

    def _has_reported(self) -> bool:
        """Tell whether this K3s has a kubelet that runs: a node stays Ready when its own stops."""
        words = ("--property=ExecMainStartTimestamp", "--value", "--timestamp=unix")
        text = self.run("systemctl", "show", "k3s", *words).strip().lstrip("@")
        started = float(text) if text.isdigit() else 0.0
        if started > time.time():  # the clock was set back since
            return True
        for lease in self._asked("leases", "--namespace=kube-node-lease") or []:
            if lease["metadata"]["name"] == self.node:
                return at(str(lease.get("spec", {}).get("renewTime", ""))) > started
        return not started

    def _pods(self, found: list[dict[str, Any]]) -> str:
        waits = []
        for start in self.pods:
            mine = [one for one in found if one["metadata"]["name"].startswith(f"{start}-")]
            if not any(is_ready(one) for one in mine):
                told = ", ".join(sorted({reason(one) for one in mine})) or "it does not exist"
                waits.append(f"{start} ({told})")
        return f"in kube-system waits {', '.join(waits)}" if waits else ""

    def _asked(self, *words: str) -> list[dict[str, Any]] | None:
        # --request-timeout: an API that hangs is one that does not answer.
        text = self.run("k3s", "kubectl", "get", *words, "--output=json", "--request-timeout=10s")
        try:
            found: list[dict[str, Any]] = json.loads(text)["items"]
        except (ValueError, KeyError):
            return None
        return found

    def _shown(self, name: str) -> str:
        return self.run("systemctl", "show", "k3s", f"--property={name}", "--value").strip()

    def stops(self) -> int:
        """Return how often systemd has started it again."""
        text = self._shown("NRestarts")
        return int(text) if text.isdigit() else 0

    def has_failed(self) -> bool:
        """Tell whether systemd has given up."""
        return self._shown("ActiveState") == "failed"

    def last_lines(self) -> list[str]:
        """Return the end of what K3s wrote."""
        words = ("journalctl", "--unit=k3s", f"--lines={LINES}", "--output=cat", "--no-pager")
        return self.run(*words).splitlines()

    def wait(self, limit_s: float, now: Callable[[], float], pause: Callable[[float], None]) -> str:
        """Wait; return an empty text, or why it was given up."""
        begun, stopped = now(), self.stops()
        while missing := self.missing():
            stops = self.stops() - stopped
            if self.has_failed():
                return "K3s stopped, and systemd does not start it again"
            if stops >= STOPS:
                return f"K3s stopped {stops} times while it was awaited"
            if now() - begun > limit_s:
                return f"After {limit_s:.0f} s {missing}"
            pause(PAUSE_S)
        return ""


def at(text: str) -> float:
    """Return a time of Kubernetes' in seconds; 0 where it is none."""
    try:
        moment = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return 0.0
    return moment.replace(tzinfo=timezone.utc).timestamp()


def is_ready(pod: dict[str, Any]) -> bool:
    """Tell whether a pod runs and is ready."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def reason(pod: dict[str, Any]) -> str:
    """Return why a pod does not run, in one word of Kubernetes'."""
    status = pod.get("status", {})
    for one in status.get("containerStatuses", []):
        if waiting := one.get("state", {}).get("waiting"):
            return str(waiting.get("reason", "Waiting"))
    return str(status.get("phase", "Pending"))


def run_here(*words: str) -> str:
    """Run a command; empty where it fails."""
    try:
        made = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return made.stdout if made.returncode == 0 else ""


def main() -> None:
    """Run as an Ansible module."""
    from ansible.module_utils.basic import AnsibleModule

    spec = {
        "node": {"type": "str", "required": True},
        "pods": {"type": "list", "elements": "str", "required": True},
        "limit_s": {"type": "int", "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    waiting = Waiting(module.params, run_here)
    if not module.check_mode:
        why = waiting.wait(module.params["limit_s"], time.monotonic, time.sleep)
        if why:
            quoted = "\n".join(f"  {line[:200]}" for line in waiting.last_lines())
            module.fail_json(
                msg=f"K3s is not ready. {why}. The last lines of journalctl --unit=k3s:\n{quoted}\n"
                "Run again when that is mended: what is in place stays."
            )
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
