"""What a monitor sees of a card: the figures NVML gives, as JSON."""

from typing import Any

from vllm_simulator.card.protocol import Card


def reading(card: Card) -> dict[str, Any]:
    """Describe the card: total and used bytes, and each process with its share."""
    holders = card.holders()
    return {
        "total_bytes": card.total_bytes,
        "used_bytes": sum(holders.values()),
        "processes": [{"name": name, "used_bytes": held} for name, held in sorted(holders.items())],
    }
