"""How a case puts the GPU of a test into its state: what it is, change by change."""

from collections.abc import Callable

from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import GpuView

Change = Callable[[GpuView], object]

SINCE_S = 100.0
"""When the resident of the cases came in."""


def sets(**fields: object) -> Change:
    """Give the GPU these values."""

    def change(gpu: GpuView) -> None:
        for name, value in fields.items():
            setattr(gpu, name, value)

    return change


def model(name: str, **fields: object) -> Change:
    """Give one of its models these values."""

    def change(gpu: GpuView) -> None:
        for key, value in fields.items():
            setattr(gpu.models[name], key, value)

    return change


def waits(
    name: str, since_s: float, count: int = 1, priority: Priority = Priority.INTERACTIVE
) -> Change:
    """Let requests wait for one of its models."""

    def change(gpu: GpuView) -> None:
        for number in range(count):
            gpu.models[name].queue.push((name, priority, since_s, number), priority, since_s)

    return change


def runs(count: int = 1, priority: Priority = Priority.INTERACTIVE) -> Change:
    """Let requests run in the resident's engine."""
    return sets(in_flight=count, interactive_in_flight=count * (priority is Priority.INTERACTIVE))


def nobody(gpu: GpuView) -> None:
    """Let nobody be resident."""
    gpu.end_moving(None, SINCE_S)
