"""Why an engine ended, in one sentence: above all which memory was too small, and what to change.

The words are those of vLLM 0.30 to 0.33 and of torch.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from typing import NamedTuple

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
HOST = (
    "the kernel killed it, most likely because the host's memory was too small; "
    "raise vllm_overhead_gib, or take a smaller model"
)
ELSEWHERE = "root cause"  # a line that only says that another one says why


class Shortage(NamedTuple):
    """What an engine says when some memory was too small, and what that means."""

    said: re.Pattern[str]
    means: str


# The first that fits is told, so what says most stands first.
SHORTAGES = (
    Shortage(
        re.compile(
            r"Free memory on device \S+ \((?P<free>[\d.]+)/[\d.]+ GiB\).*"
            r"less than desired GPU memory utilization \([\d.]+, (?P<wanted>[\d.]+) GiB\)"
        ),
        "the GPU's memory was too small: {free} GiB were free, and it takes {wanted} GiB; "
        "lower vram_gib in its entry, or end what else uses the GPU",
    ),
    Shortage(
        re.compile(
            r"To serve at least one request.* \(?(?P<wanted>[\d.]+) GiB KV cache is needed.*"
            r"available KV cache memory \((?P<free>[\d.]+) GiB\)"
        ),
        "the GPU's memory for its KV cache was too small: one request of full length needs "
        "{wanted} GiB, and it has {free} GiB; raise kv_cache_gib or lower context in its entry",
    ),
    Shortage(
        re.compile(r"No available memory for the cache blocks"),
        "the GPU's memory was too small for any KV cache; "
        "raise kv_cache_gib in its entry, and vram_gib with it",
    ),
    Shortage(
        re.compile(
            r"(?:CUDA out of memory|OutOfMemoryError|CUDA error: out of memory)"
            r"(?:.*?Tried to allocate (?P<wanted>[\d.]+ \w+))?"
        ),
        "the GPU's memory was too small{more}; lower kv_cache_gib, context or max-num-seqs "
        "in its entry, or take a smaller model",
    ),
    Shortage(re.compile(r"Failed core proc\(s\):.*: -9\b|can't allocate memory"), HOST),
)


def explain(model: str, status: int, lines: Iterable[str], loading: bool) -> str:
    """Say why an engine ended that was not told to.

    Its own last word is quoted only while it loads: later, people's questions may be in it.
    """
    said = [COLOUR.sub("", line) for line in lines]
    for shortage in SHORTAGES:
        for line in reversed(said):
            if found := shortage.said.search(line):
                return f"{model}: {_filled(shortage.means, found)}"
    if status == -signal.SIGKILL:
        return f"{model}: {HOST}"
    how = f"status {status}" if status >= 0 else f"signal {-status}"
    if not loading:
        return f"{model}: its engine ended with {how}"
    return f"{model}: its engine ended with {how} while it loaded: {last_error(said)}"


def last_error(lines: Iterable[str]) -> str:
    """Return the last line that speaks of an error, else the last one: hints may follow it."""
    said = list(lines)
    errors = [line for line in said if "error" in line.lower() and ELSEWHERE not in line]
    return (errors or said or ["it said nothing"])[-1]


def _filled(text: str, found: re.Match[str]) -> str:
    parts = found.groupdict()
    wanted = parts.get("wanted")
    return text.format(**parts, more=f": it wanted another {wanted}" if wanted else "")
