"""What the variables say of the site that is to be deployed, as Ansible reads them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from synapse_common.engines import is_on_gpu

HOST = "localhost"
LIMIT_S = 60.0


class SiteError(Exception):
    """The variables can't be read; the text says why and what to do."""


def read_site() -> dict[str, Any]:
    """The variables of the inventory that `make deploy` uses, templates in them as written."""
    command = [sys.executable, "-m", "ansible", "inventory", "--host", HOST]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)  # noqa: S603  (words of our own)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
        why = str(fault.stderr or fault).strip()
        raise SiteError(f"Ansible cannot read your site; correct this first: {why}") from fault
    site = dict(json.loads(run.stdout))
    if "synapse_models" not in site:
        raise SiteError("There is no site yet: make one with `make init SITE=forge`.")
    return site


def engines_on_gpu(site: Mapping[str, Any]) -> int:
    """How many engines a deployment starts on the GPU: none where there is no GPU."""
    if not site.get("synapse_gpus"):
        return 0
    models = site.get("synapse_models") or []  # what else is wrong with it, make check says
    return sum(isinstance(model, dict) and is_on_gpu(model.get("engine")) for model in models)
