"""The runtime that brings the simulated GPU adds its mounts, no more; shares are counted."""

import json
import subprocess
import sys
from pathlib import Path

from synapse_testbed import gpu, images

RUNTIME = images.NODE_FILES / "usr/local/libexec/gpu-runtime"
DEFAULT = {
    "ociVersion": "1.0.2",
    "process": {"capabilities": {}, "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024}]},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"maskedPaths": ["/proc/keys"]},
}


def test_runtime_adds_the_gpu_and_leaves_limits_to_containerd() -> None:
    made = subprocess.run(
        [sys.executable, str(RUNTIME)],
        input=json.dumps(DEFAULT),
        capture_output=True,
        text=True,
        check=True,
    )
    spec = json.loads(made.stdout)
    added = {mount["destination"]: mount for mount in spec["mounts"][1:]}
    assert spec["mounts"][:1] == DEFAULT["mounts"]
    assert set(added) == {"/opt/simulated-gpu", f"/usr/lib/x86_64-linux-gnu/{gpu.NVML}"}
    assert "ro" in added[f"/usr/lib/x86_64-linux-gnu/{gpu.NVML}"]["options"]
    assert spec["process"] == {"capabilities": {}}
    assert spec["linux"] == DEFAULT["linux"]


def test_engines_look_for_the_gpu_where_the_runtime_puts_it() -> None:
    assert "VLLM_SIMULATOR_GPU=/opt/simulated-gpu" in gpu.ENGINE_ENVIRONMENT


def test_the_gpu_has_a_share_for_each_model_on_it(tmp_path: Path) -> None:
    catalogue = tmp_path / "models.yml"
    engines = ["vllm", "ollama", "vllm"]
    models = [{"name": str(n), "engine": engine} for n, engine in enumerate(engines)]
    catalogue.write_text(json.dumps({"synapse_models": models}))
    assert gpu.shares(catalogue) == 2
