"""The simulated GPU: its NVML, the engines that share it, and its shares on the node."""

import json
from inspect import getsource
from pathlib import Path

import yaml

from synapse_testbed.cache import Recipe
from synapse_testbed.commands import run
from synapse_testbed.contents import KUBECTL
from synapse_testbed.oci import write_layer
from synapse_testbed.podman import Container
from synapse_testbed.programs import as_they_are
from synapse_testbed.python import PACKAGES

HERE = Path(__file__).parent.parent
NVML = "libnvidia-ml.so.1"
NVML_SOURCE = HERE / "images" / "nvml" / "nvml.c"
ENGINE_PROGRAMS = HERE / "images" / "vllm-simulator"
SIMULATOR = HERE.parents[1] / "tests" / "simulators" / "vllm_simulator"
CATALOGUE = HERE / "inventory" / "group_vars" / "all" / "models.yml"
RESOURCE = "nvidia.com/gpu"
# About what a small model does: an answer of 40 tokens in half a second, a start in two.
SPEEDS = {
    "BOOT_S": 2,
    "FIRST_SLEEP_S": 0.5,
    "SLEEP_S": 0.2,
    "WAKE_S": 0.5,
    "TOKENS_PER_S": 90,
    "TTFT_S": 0.05,
    "ANSWER_TOKENS": 40,
}
ENGINE_ENVIRONMENT = [
    "PYTHONDONTWRITEBYTECODE=1",
    "VLLM_SIMULATOR_GPU=/opt/simulated-gpu",
    *(f"VLLM_SIMULATOR_{name}={value}" for name, value in SPEEDS.items()),
]


def nvml() -> Recipe:
    """The simulated libnvidia-ml.so.1, which the runtime `nvidia` mounts into pods."""

    def build(folder: Path) -> None:
        library = compile_nvml(folder)
        write_layer(folder / "layer.tar", [(library, f"usr/local/lib/simulated-gpu/{NVML}")])
        library.unlink()

    sources = getsource(build) + getsource(compile_nvml)
    return Recipe("nvml", {"nvml.c": NVML_SOURCE.read_text(), "recipe": sources}, build)


def compile_nvml(folder: Path) -> Path:
    """Compile the library into a folder; return its file."""
    library = folder / NVML
    flags = ["-shared", "-fPIC", "-Os", "-s", "-Wall", "-Wextra", "-Werror"]
    run(["gcc", *flags, "-o", str(library), str(NVML_SOURCE)], limit_s=60)
    return library


def engine() -> Recipe:
    """The simulated vLLM and its commands `vllm` and `hf`, for an image with their libraries."""
    modules = {
        f"{PACKAGES}/{path.relative_to(SIMULATOR.parent)}": path for path in SIMULATOR.rglob("*.py")
    }
    programs = {f"usr/local/bin/{path.stem}": path for path in ENGINE_PROGRAMS.glob("*.py")}
    return as_they_are("vllm-simulator", dict(sorted((modules | programs).items())))


def shares(catalogue: Path = CATALOGUE) -> int:
    """Count the pods that the catalogue puts on the GPU, as its time-slicing must allow."""
    models = yaml.safe_load(catalogue.read_text())["synapse_models"]
    return sum(model["engine"] == "vllm" for model in models)


def offer_shares(server: Container, count: int) -> None:
    """Have the node offer that many shares of its GPU, as a device plugin would."""
    offered = {RESOURCE: str(count)}
    status = {"status": {"capacity": offered, "allocatable": offered}}
    patch = ["patch", "node", "forge", "--subresource=status", "--type=merge"]
    server.exec(*KUBECTL, *patch, f"--patch={json.dumps(status)}")
