"""What a monitor sees of a GPU: the figures NVML gives, as JSON."""

from typing import Any

from vllm_simulator.gpu.protocol import Gpu


def reading(gpu: Gpu) -> dict[str, Any]:
    """Describe the GPU: total and used bytes, and each process with its share."""
    holders = gpu.holders()
    return {
        "total_bytes": gpu.total_bytes,
        "used_bytes": sum(holders.values()),
        "processes": [{"name": name, "used_bytes": held} for name, held in sorted(holders.items())],
    }
