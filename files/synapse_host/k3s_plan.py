"""All that the role `k3s` does on a server, as its tasks take it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from synapse_host.k3s_config import config
from synapse_host.k3s_decide import decide
from synapse_host.k3s_files import as_taken, files, proxy_variables
from synapse_host.k3s_wishes import ARCHITECTURES, wishes
from synapse_host.read import read

# Where a pod is disabled by another name than its own.
COMPONENTS = {"local-path-provisioner": "local-storage"}


def plan(raw_facts: Mapping[str, Any], raw_wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision with everything that follows from it."""
    # Ansible's own kinds of text cannot be written as YAML.
    raw_facts, raw_wishes = json.loads(json.dumps([raw_facts, raw_wishes]))
    facts, wanted = read(raw_facts), wishes(raw_wishes)
    decision = decide(facts, wanted)
    installs = decision.action == "install"
    placed = files(facts, wanted, decision.action)
    keys = config(facts, wanted, decision.action) if installs else facts.k3s.config
    disabled = keys.get("disable") or []
    return {
        "is_ours": installs,
        # An adopted K3s restarts only for what the site itself says in synapse_enforce.
        "may_restart": installs or bool(wanted.enforce),
        "refusals": list(decision.refusals),
        "notes": list(decision.notes),
        "version": facts.k3s.version or wanted.version,
        # What a hand upgraded stays, and is not checked against the sums of another version.
        "artefacts": installs and facts.k3s.version in ("", wanted.version),
        "architecture": ARCHITECTURES.get(facts.system.architecture, ""),
        "data_dir": wanted.data_dir if installs else facts.k3s.data_dir,
        "files": as_taken(placed, secret=False),
        "secret_files": as_taken(placed, secret=True),
        "environment": proxy_variables(facts, wanted),
        "api_port": int(keys.get("https-listen-port") or facts.k3s.api_port),
        "kubeconfig": keys.get("write-kubeconfig") or "/etc/rancher/k3s/k3s.yaml",
        "node": str(keys.get("node-name") or facts.system.hostname).lower(),
        "pods": [one for one in wanted.system_pods if COMPONENTS.get(one, one) not in disabled],
    }
