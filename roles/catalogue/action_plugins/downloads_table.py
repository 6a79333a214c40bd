"""The task `downloads_table`: show what will be fetched, before anything is."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.action import ActionBase

from synapse_deploy.downloads import table
from synapse_deploy.downloads.fetcher import Fetcher, Status
from synapse_deploy.kube.api import ApiError, KubeApi

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "models": {"type": "list", "elements": "dict", "required": True},
    "images": {"type": "dict", "required": True},
    "image_sizes_gib": {"type": "dict", "required": True},
    "shipped": {"type": "dict", "required": True},
}
LEAD = "    | "


class ActionModule(ActionBase):
    """Runs on the controller; changes nothing."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Show the table; a cluster that is not there yet only leaves gaps in it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        args = json.loads(json.dumps(args))
        status, free_bytes, on_node = _asked(args)
        sizes_gib = {args["shipped"][name]: gib for name, gib in args["image_sizes_gib"].items()}
        found = [
            *table.images(args["images"], sizes_gib, on_node),
            *table.models(args["models"], status),
        ]
        for line in table.lines(found, status, free_bytes):
            self._display.display(f"{LEAD}{line}")
        return result


def _asked(args: dict[str, Any]) -> tuple[Status | None, int | None, set[str] | None]:
    """Return the fetcher's status, the bytes that are free, the node's images; None: unknown."""
    on_node: set[str] | None = None
    try:
        api = KubeApi(args["kubeconfig"])
        nodes = api.call("GET", "/api/v1/nodes")["items"]
        listed = [image for node in nodes for image in node["status"].get("images", ())]
        on_node = {name for image in listed for name in image.get("names") or ()}
        fetcher = Fetcher(api, args["namespace"])
        status = fetcher.status()
        return status, None if status.why else fetcher.state().free_bytes, on_node
    except ApiError:
        return None, None, on_node
