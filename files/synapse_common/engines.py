"""The engine types: the one place that knows what each can do, where it listens, what it takes.

Whoever needs to tell engines apart asks here; the names below stand in no other program.
CONTRIBUTING.md says how to add one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

EngineName = Literal["vllm", "ollama", "speaches", "piper", "openai", "litellm"]
Kind = Literal["chat", "embedding", "rerank", "transcription", "speech"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GpuKind = Literal["chat", "embedding", "rerank"]
"""The kinds that the arbiter can verify after a wake; it could never trust any other."""
GPU_KINDS: tuple[GpuKind, ...] = get_args(GpuKind)
AUDIO_KINDS = ("transcription", "speech")
"""Sound goes in or comes out."""

Dialect = Literal[
    "chat", "completions", "embeddings", "responses", "messages", "count_tokens", "rerank",
    "score", "tokenize", "detokenize", "transcriptions", "speech", "voices", "native",
]  # fmt: skip
"""A part of an API that an engine answers.

OpenAI's, Anthropic's (`messages` and `count_tokens`), vLLM's own (`rerank` to `detokenize`),
`voices`, the list of voices, and `native`, all of Ollama's own API.
"""
Capability = Literal["vision", "tools", "reasoning", "json"]
"""What a chat model can do beyond text."""
ModelSource = Literal["hugging-face", "ollama", "piper", "outside"]
"""Where the models come from; `outside`: somebody else has them."""

ARBITER_PORT = 8080
"""Where the arbiter takes requests for models; its other ports each have another audience."""
ARBITER_BOOT_PORT = 8081
"""Where engines ask it for the GPU before they start."""
ARBITER_OPERATOR_PORT = 8082
"""Its status page and the operator's commands."""
GATEWAY_PORT = 8000
"""Of the gateway's pods, where applications ask; a site chooses that of their Service."""
GATEWAY_INNER_PORT = 8001
"""Where the gateway serves LiteLLM: models whose own API LiteLLM does not speak well enough."""
GATEWAY_CONNECTIONS = 1024
"""Open connections that the gateway takes at each of its ports."""
GATEWAY_TEXT_MIB_AT_MOST = 10
"""Of a JSON body without its base64: parsing so much takes about 40 ms, and the arbiter takes a
little more."""
METRICS_PORT = 9090
"""Where a program of ours shows its metrics, and nothing else."""
LITELLM_PORT = 4000
"""Where LiteLLM answers, behind the gateway."""
FETCHER, FETCHER_PORT = "model-fetcher", 8090
"""Who brings Ollama's models in the background and shows how far they are, and where."""
OLDEST_OLLAMA = (0, 13)
"""Older engines cut a prompt that is too long without a word, or most of them do: to 0.12.5."""
PENALTIES_SINCE = (0, 30)
"""Older Ollamas do not tell their newer runner of penalties (ollama/ollama#15783)."""
ARBITER_HEALTH_PATH = "/healthz"
LITELLM_HEALTH_PATH = "/health/liveliness"
"""Where the arbiter and LiteLLM say that they run, whatever is behind them."""
OLDEST_VLLM = (0, 32)
"""Older engines hide a sleep or a wake that is under way: they have no metric for it."""
CONCURRENCY = 16
"""Requests that an engine on the GPU answers at once, where its entry does not say it."""
STOPS_AT_MOST = 64
"""Texts that may end an answer; more are refused before an engine is asked."""
SHUTDOWN_S = 20
"""Seconds in which an engine on the GPU may end its answers once it is told to stop."""
KILL_AFTER_S = SHUTDOWN_S + 5
"""When its wrapper kills what is left of it, after the same stop."""
GRACE_S = KILL_AFTER_S + 5
"""When Kubernetes kills the pod with the wrapper; whoever waits for its end waits longer."""
RECYCLE_GRACE_S = 10
"""The same for an engine that is replaced: nothing runs in it, so a hung one is killed sooner."""
TEXT: tuple[Dialect, ...] = ("chat", "completions", "embeddings")
TRANSLATED: tuple[Dialect, ...] = (*TEXT, "responses", "messages", "count_tokens", "rerank")
"""What LiteLLM makes of any provider's API."""
# What a build is called that knows no tag of its sources, such as 0.1.dev19754+g3a0914114.
UNTAGGED = "0.1.dev"
VERSION = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True)
class EngineType:
    """What is known of one type of engine."""

    name: EngineName
    title: str
    """What a model of it is, in a sentence."""
    kinds: tuple[Kind, ...]
    """What its models can do; the first is meant where an entry does not say it."""
    dialects: tuple[Dialect, ...]
    fields: tuple[str, ...]
    """The keys of a catalogue entry that only some engines take."""
    models_from: ModelSource
    port: int = 0
    """Where it listens in its pod; 0 where nothing of it is deployed."""
    health_path: str = ""
    """What answers without making it work; empty: it is not asked directly."""
    lists_models_at: str = ""
    """Where it lists what it serves, as OpenAI does; empty: it is asked otherwise or not at all."""
    on_gpu: bool = False
    """It runs on the GPU and is reached through the arbiter."""
    knows_models_by: Literal["name", "source"] = "name"
    """What a model is called there: the public name, or the source of its entry."""
    translated: tuple[Dialect, ...] = ()
    """Those of its dialects that LiteLLM answers in its place."""
    detects_speech_at: str = ""
    """Where below /v1 it says when somebody speaks in a recording; empty: it cannot."""
    cuts_subtitles: bool = True
    """Its segments can be read as subtitles; where not, the gateway cuts them from word times."""

    @property
    def is_outside(self) -> bool:
        """Say whether it is a provider's: nothing is deployed, the entry names the address."""
        return self.models_from == "outside"

    @property
    def service(self) -> str:
        """Return the name of the Service through which it is reached; empty: outside."""
        if self.is_outside:
            return ""
        return "arbiter" if self.on_gpu else self.name

    @property
    def is_native(self) -> bool:
        """Say whether it is asked in Ollama's own API, by the gateway alone."""
        return "native" in self.dialects

    @property
    def url(self) -> str:
        """Return the address through which it is reached in the cluster; empty: outside."""
        port = ARBITER_PORT if self.on_gpu else self.port
        return f"http://{self.service}:{port}" if self.service else ""

    @property
    def pod_labels(self) -> dict[str, str]:
        """Return the labels of the pods behind that address."""
        name = "synapse-arbiter" if self.on_gpu else self.name
        return {"app.kubernetes.io/name": name}


VLLM = EngineType(
    name="vllm",
    title="A model on the GPU.",
    kinds=("chat", "embedding", "rerank"),
    dialects=(
        *TEXT, "responses", "messages", "count_tokens", "rerank", "score", "tokenize", "detokenize",
    ),
    fields=(
        "context", "capabilities", "engine_args", "disk_gib", "vram_gib", "kv_cache_gib",
        "loading_gib", "environment",
    ),
    models_from="hugging-face",
    port=8000,
    on_gpu=True,
)  # fmt: skip
OLLAMA = EngineType(
    name="ollama",
    title="A model on the CPU.",
    kinds=("chat", "embedding"),
    dialects=("native",),
    fields=("context", "capabilities", "engine_args", "disk_gib"),
    models_from="ollama",
    port=11434,
    health_path="/api/version",
)
SPEACHES = EngineType(
    name="speaches",
    title="A model that turns speech into text.",
    kinds=("transcription",),
    dialects=("transcriptions",),
    fields=("languages", "disk_gib"),
    models_from="hugging-face",
    port=8000,
    health_path="/health",
    lists_models_at="/v1/models",
    knows_models_by="source",
    detects_speech_at="/audio/speech/timestamps",
    cuts_subtitles=False,
)
PIPER = EngineType(
    name="piper",
    title="A model that turns text into speech.",
    kinds=("speech",),
    dialects=("speech", "voices"),
    fields=("disk_gib", "voices"),
    models_from="piper",
    port=8000,
    health_path="/health",
    lists_models_at="/v1/models",
)
OPENAI = EngineType(
    name="openai",
    title="A model at any OpenAI-compatible address outside.",
    kinds=KINDS,
    dialects=(*TRANSLATED, "transcriptions", "speech"),
    translated=TRANSLATED,
    fields=(
        "languages",
        "context",
        "capabilities",
        "parameters",
        "price",
        "leaves",
        "base_url",
        "api_key",
    ),
    models_from="outside",
    knows_models_by="source",
)
LITELLM = EngineType(
    name="litellm",
    title="A model at any provider that LiteLLM knows.",
    kinds=("chat", "embedding", "rerank"),
    dialects=TRANSLATED,
    translated=TRANSLATED,
    fields=("context", "capabilities", "parameters", "price", "leaves", "base_url", "api_key"),
    models_from="outside",
    knows_models_by="source",
)
LITELLM_URL = f"http://{LITELLM.name}:{LITELLM_PORT}"
"""Where our LiteLLM answers in the cluster."""
GATEWAY_INNER_URL = f"http://gateway-inner:{GATEWAY_INNER_PORT}"
GATEWAY_PODS = {"app.kubernetes.io/name": "gateway"}
"""Where LiteLLM reaches the gateway, and the labels of the pods behind that address."""

ENGINES: dict[str, EngineType] = {
    engine.name: engine for engine in (VLLM, OLLAMA, SPEACHES, PIPER, OPENAI, LITELLM)
}
ON_GPU = tuple(engine.name for engine in ENGINES.values() if engine.on_gpu)


def is_on_gpu(engine: object) -> bool:
    """Tell whether a value names an engine that runs on the GPU."""
    return engine in ON_GPU


def vllm_version(text: str) -> tuple[int, int] | None:
    """Return which vLLM a version or an image's tag names; None where it tells none."""
    told = VERSION.match(text)
    if told is None or text.startswith(UNTAGGED):
        return None
    return int(told[1]), int(told[2])


def ollama_version(text: str) -> tuple[int, int] | None:
    """Return which Ollama a version or an image's tag names; None where it tells none."""
    told = VERSION.match(text)
    return (int(told[1]), int(told[2])) if told else None


def dotted(version: tuple[int, ...]) -> str:
    """Write the numbers of a version as people do."""
    return ".".join(map(str, version))


def too_old(text: str) -> bool:
    """Tell whether a version or an image's tag is of a vLLM older than Synapse can use."""
    told = vllm_version(text)
    return told is not None and told < OLDEST_VLLM


def deployed() -> Iterable[EngineType]:
    """Return the engine types that run in the cluster."""
    return (engine for engine in ENGINES.values() if not engine.is_outside)
