"""The folder in which simulated engines claim memory of the simulated GPU, brought into pods.

A real GPU counts its memory itself, so nothing of K3s or NVIDIA stands for this mount. It comes
with the runtimes of NVIDIA; everything else of the GPU comes by NVIDIA's own toolkit.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

FOLDER = Path("/opt/simulated-gpu")


def runtimes_with_claims(ctr: Path, names: list[str], spec: Path) -> dict[str, Any]:
    """Write the spec that containers of these runtimes begin with; return what names it.

    A server without the simulated GPU has no such folder, and its containers begin as ever.
    """
    if not FOLDER.is_dir():
        return {}
    told = subprocess.run([ctr, "oci", "spec"], capture_output=True, text=True, check=True).stdout
    spec.write_text(json.dumps(with_claims(json.loads(told))))
    return {name: {"base_runtime_spec": str(spec)} for name in names}


def with_claims(spec: dict[str, Any]) -> dict[str, Any]:
    """Return containerd's own spec of a container with the folder in it."""
    # containerd has limits of its own, but keeps the 1,024 open files of a given spec.
    process = {name: value for name, value in spec["process"].items() if name != "rlimits"}
    options = ["bind", "rw", "nosuid", "nodev", "noexec"]
    mount = {"source": str(FOLDER), "destination": str(FOLDER), "type": "bind", "options": options}
    return {**spec, "process": process, "mounts": [*spec["mounts"], mount]}
