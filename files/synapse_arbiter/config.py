"""The configuration file: YAML or JSON, read once, every fault of it named at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from synapse_arbiter.policy.types import Rules
from synapse_common import reading
from synapse_common.engines import (
    ARBITER_BOOT_PORT,
    ARBITER_OPERATOR_PORT,
    ARBITER_PORT,
    CONCURRENCY,
    GRACE_S,
    METRICS_PORT,
    GpuKind,
)
from synapse_common.faults import SeveralError
from synapse_common.place import Path as Place
from synapse_common.references import Refers
from synapse_common.strict import Count, Listed, NotNegative, Port, Positive, Strict, Text, Url

ConfigError = reading.ConfigError


def load(path: Path) -> Settings:
    """Read and check one file, or raise ConfigError naming every fault in it."""
    return parse(reading.load(path))


def parse(source: object) -> Settings:
    """Check a mapping and freeze it, or raise ConfigError naming every fault in it."""
    return reading.read(Settings, source, _fits)


def _fits(source: Any) -> Iterator[tuple[Place, str]]:
    """Yield every model that the GPU is too small for."""
    gpu = source.get("gpu") if isinstance(source, Mapping) else None
    has_gib = _gib(gpu)
    for _, place, model in reading.named(source, "models"):
        needs_gib = _gib(model)
        if has_gib is not None and needs_gib is not None and needs_gib > has_gib:
            yield place, f"needs {needs_gib:g} GiB, but the GPU has {has_gib:g} GiB"


def _gib(entry: object) -> float | None:
    value = entry.get("vram_gib") if isinstance(entry, Mapping) else None
    return value if isinstance(value, int | float) else None


ModelName = Annotated[
    str,
    Field(
        pattern="^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$",
        json_schema_extra={"hint": "small letters, digits, dots and dashes, at most 63"},
    ),
]
EngineUrl = Annotated[
    Url,
    Field(
        pattern=r"^https?://[^\s/?#]+/?$",
        json_schema_extra={"hint": "an address that ends after the port: http://host:8000"},
    ),
    AfterValidator(lambda url: url.rstrip("/")),
]
VramSource = Annotated[
    str,
    Field(
        pattern=r"^(nvml|none|https?://\S+)$",
        json_schema_extra={"hint": "nvml, none or an http address"},
    ),
]
PodName = Annotated[
    str, Field(pattern=r"\{model\}", json_schema_extra={"hint": "{model} where its name goes"})
]


def _bound(rules: Rules) -> Rules:
    """Refuse what the quantum would cut off: the bound on every wait rests on it."""
    quantum_s = inf if rules.quantum_s is None else rules.quantum_s
    found = [
        ((key,), f"must not exceed quantum_s ({quantum_s:g}): the wait bound rests on it")
        for key, limit_s in (("deadline_s", rules.deadline_s), ("residency_s", rules.residency_s))
        if limit_s is not None and limit_s > quantum_s
    ]
    if found:
        raise SeveralError(found)
    return rules


class Model(Strict):
    """One vLLM engine of the GPU and what is believed of it before the first measurement."""

    what: ClassVar[str] = "model"

    name: ModelName
    url: EngineUrl
    """Where the engine is asked."""
    kind: GpuKind = "chat"
    vram_gib: Positive
    """What it takes of the GPU awake."""
    concurrency: Count = CONCURRENCY
    """Requests that it runs at once; further ones wait."""
    max_wait_s: NotNegative = 120
    """How long its requests may wait, unless application or request say otherwise."""
    sleep_s: NotNegative = 0.5
    """How long it takes to fall asleep."""
    wake_s: NotNegative = 1.5
    """How long it takes to wake."""
    answer_s: NotNegative = 5
    """How long it takes to answer."""
    boot_s: NotNegative = 120
    """How long it takes to start."""


class App(Strict):
    """An application whose requests have a wait budget of their own."""

    what: ClassVar[str] = "app"

    name: Text
    max_wait_s: NotNegative


class Limits(Strict):
    """How long each wait may last, and how much may be held."""

    drain_s: NotNegative = 120
    """Requests that run when the GPU is wanted elsewhere."""
    quiet_s: NotNegative = 5
    """Requests of somebody else in an engine that is to sleep."""
    sleep_s: Positive = 30
    """Falling asleep."""
    first_sleep_s: Positive = 180
    """Falling asleep for the first time."""
    wake_s: Positive = 60
    """Waking."""
    verify_s: NotNegative = 5
    """Until the GPU's memory shows a sleep."""
    canary_s: Positive = 30
    """The first answer after a wake."""
    boot_s: Positive = 1800
    """Starting an engine with the GPU."""
    recycle_s: Positive = 120
    """Until a replaced engine is back."""
    connect_s: Positive = 5
    """Until an engine accepts a connection."""
    answer_s: Positive = 600
    """Silence of an engine that answers."""
    hang_s: Positive = 120
    """Silence of an engine that takes connections, until its core counts as hanging."""
    stop_s: NotNegative = 30
    """Answers that run when the arbiter is stopped."""
    watch_s: Annotated[float, Field(ge=0.01)] = 5
    """Between two looks at every engine."""
    patience_s: NotNegative = 6
    """After a start, for engines that boot already to say so."""
    network_s: NotNegative = 3
    """After a start, until the network's rules for a new pod let it reach any engine."""
    body_mib: Positive = 64
    """Largest body of a request."""
    memory_mib: Annotated[int, Field(ge=256)] = 512
    """The pod's memory: what bodies and answers in flight may take is derived from it."""
    queue: Count = 10_000
    """Requests that wait at the same time."""


class Gpu(Strict):
    """The gpu: its size, where its memory is read, and when an engine counts as leaking."""

    vram_gib: Positive
    vram_source: VramSource = "nvml"
    """Where the memory in use is read: nvml, none, or an address such as DCGM's metrics."""
    leak_gib: NotNegative = 2.0
    """What an engine may leave behind on the GPU before it is replaced."""
    canary_every: Count = 10
    """Wakes between two that must answer a fixed prompt as the first time."""


class Recycle(Strict):
    """How an engine is replaced: `none`, a `command`, or deleting its pod in `kubernetes`."""

    how: Literal["none", "command", "kubernetes"] = "none"
    command: Listed[Text] = ()
    """The program with its arguments; {model} in them is the model's name."""
    namespace: Text = "llm-infra"
    pod: PodName = "vllm-{model}-0"

    @model_validator(mode="after")
    def _has_its_command(self) -> Recycle:
        if self.how == "command" and not self.command:
            text = "is empty; name the program that restarts an engine"
            raise SeveralError([(("command",), text)])
        return self


class Ports(Strict):
    """One port for each audience, so that whoever is let in to one reaches nothing else."""

    inference: Port = ARBITER_PORT
    """Requests for models, and the probes."""
    boot: Port = ARBITER_BOOT_PORT
    """Engines that want to start."""
    metrics: Port = METRICS_PORT
    """What Prometheus reads, the engines' metrics too."""
    operator: Port = ARBITER_OPERATOR_PORT
    """The status page and the commands."""

    @model_validator(mode="after")
    def _differ(self) -> Ports:
        taken: dict[int, str] = {}
        found = [
            ((name,), f"must not be {port}, which is the port of {taken[port]}")
            for name, port in self
            if taken.setdefault(port, name) != name
        ]
        if found:
            raise SeveralError(found)
        return self


class Settings(Strict):
    """Everything the arbiter is told."""

    host: Text = "127.0.0.1"
    ports: Ports = Ports()
    hosts: Listed[Text] = ()
    """Names by which boots and operators may ask, besides addresses and localhost."""
    models: Annotated[Listed[Model], Field(min_length=1)]
    apps: Listed[App] = ()
    default_model: Annotated[Text, Refers(("models",))] | None = None
    """The model that is woken again when the GPU idles; null leaves the last one awake."""
    admin_token_file: Text | None = None
    """The file with the token for commands; null: nobody may give any."""
    boot_secret_file: Text | None = None
    """The file with the secret of the engines' wrappers; null: no engine may ask to start."""
    gpu: Gpu
    rules: Annotated[Rules, AfterValidator(_bound)] = Rules()
    limits: Limits = Limits()
    recycle: Recycle = Recycle()

    @model_validator(mode="after")
    def _waits_for_the_end(self) -> Settings:
        """Refuse to call a pod gone that Kubernetes may still be ending."""
        recycle_s = self.limits.recycle_s
        if self.recycle.how == "kubernetes" and recycle_s <= GRACE_S:
            text = f"must be greater than {GRACE_S}, the time a pod has to end, not {recycle_s:g}"
            raise SeveralError([(("limits", "recycle_s"), text)])
        return self

    @property
    def waits_s(self) -> dict[str, float]:
        """Return the wait budget of every application that has one."""
        return {app.name: app.max_wait_s for app in self.apps}
