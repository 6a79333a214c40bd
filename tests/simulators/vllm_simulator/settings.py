"""What one simulated engine is: its name, its size and how fast it does things."""

import argparse
import os
import re
from dataclasses import MISSING, dataclass, fields

from vllm_simulator.versions import OLDEST, SIMULATED, Version

GIB = 1024**3
# What an engine makes: text, vectors, or scores of pairs.
KINDS = ("generate", "embed", "score")
_ENVIRONMENT = {"dev_mode": "VLLM_SERVER_DEV_MODE", "max_stop_strings": "VLLM_MAX_STOP_STRINGS"}


@dataclass(frozen=True)
class Settings:
    """One engine; sizes in GiB, times in seconds, `tokens_per_s` 0 means as fast as possible."""

    model: str
    vram_gib: float = 24.0
    context_gib: float = 1.2
    weights_share: float = 0.75
    max_num_seqs: int = 16
    max_model_len: int = 32768
    tokens_per_s: float = 50.0
    ttft_s: float = 0.05
    answer_tokens: int = 24
    sleep_s: float = 0.2
    first_sleep_s: float = 1.0
    wake_s: float = 0.5
    boot_s: float = 2.0
    seed: int = 0
    # How long running answers may go on after SIGTERM.
    shutdown_timeout: float = 0.0
    # Not 0: the size of the KV cache is given, so vLLM measures nothing while it boots.
    kv_cache_memory_bytes: int = 0
    # Not 0: a reasoning parser is on, and every answer begins with so many tokens of thinking.
    reasoning_tokens: int = 0
    kind: str = "generate"
    version: str = SIMULATED
    dev_mode: bool = False
    # Texts that may end an answer; more are refused.
    max_stop_strings: int = 4

    @property
    def weights_bytes(self) -> int:
        """The part of the memory that sleep level 1 copies to the host."""
        return int((self.vram_gib - self.context_gib) * self.weights_share * GIB)

    @property
    def kv_cache_bytes(self) -> int:
        """The part of the memory that every sleep throws away."""
        return self.vram_bytes - self.context_bytes - self.weights_bytes

    @property
    def context_bytes(self) -> int:
        """What stays on the GPU while the engine sleeps: CUDA context and graphs."""
        return int(self.context_gib * GIB)

    @property
    def vram_bytes(self) -> int:
        """What the engine needs free at start and holds while awake."""
        return int(self.vram_gib * GIB)

    @property
    def behaviour(self) -> Version:
        """What this version of vLLM does in its own way."""
        return Version(self.version)

    def problems(self) -> list[str]:
        """Describe every setting that makes no sense; an empty list means all is well."""
        found = []
        if not 0 <= self.context_gib < self.vram_gib:
            found.append(
                f"context_gib is {self.context_gib} and vram_gib {self.vram_gib}: "
                "the context must be smaller than the whole."
            )
        if not 0 < self.weights_share <= 1:
            found.append(f"weights_share is {self.weights_share}: give a number in (0, 1].")
        if self.max_num_seqs < 1:
            found.append(f"max_num_seqs is {self.max_num_seqs}: at least one request must run.")
        if self.kind not in KINDS:
            found.append(f"kind is {self.kind}: give one of {', '.join(KINDS)}.")
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.version) or self.behaviour.number < OLDEST:
            found.append(f"version is {self.version}: give one from 0.30.0 on.")
        durations = ("ttft_s", "sleep_s", "first_sleep_s", "wake_s", "boot_s", "tokens_per_s")
        found += [
            f"{name} is {getattr(self, name)}: it cannot be negative."
            for name in durations
            if getattr(self, name) < 0
        ]
        return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """Offer each setting as an option; its default may come from VLLM_SIMULATOR_<NAME>."""
    for field in fields(Settings):
        if field.name in ("model", *_ENVIRONMENT):
            continue
        kind = field.type if isinstance(field.type, type) else str
        default = field.default if field.default is not MISSING else None
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            default=kind(os.environ.get(f"VLLM_SIMULATOR_{field.name.upper()}", str(default))),
            help="default: %(default)s",
        )


def from_options(model: str, options: argparse.Namespace) -> Settings:
    """Build the settings of `model` from parsed options and from vLLM's own variables."""
    values = {
        field.name: getattr(options, field.name)
        for field in fields(Settings)
        if hasattr(options, field.name) and field.name != "model"
    }
    for name, variable in _ENVIRONMENT.items():
        if variable in os.environ:
            values[name] = type(getattr(Settings, name))(int(os.environ[variable]))
    return Settings(model=model, **values)
