"""The memory of one simulated card: a table in this process, or a folder shared by several."""

from vllm_simulator.card.directory import DirectoryCard
from vllm_simulator.card.memory import MemoryCard
from vllm_simulator.card.protocol import Card, Claim, OutOfMemoryError, free_bytes, used_bytes
from vllm_simulator.card.reading import reading

__all__ = [
    "Card",
    "Claim",
    "DirectoryCard",
    "MemoryCard",
    "OutOfMemoryError",
    "free_bytes",
    "reading",
    "used_bytes",
]
