"""The configuration file: YAML or JSON, read once, every fault of it named at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from synapse_arbiter.entries import app_of, model_of
from synapse_arbiter.fields import Fields
from synapse_arbiter.policy_types import Rules
from synapse_arbiter.settings import Card, Limits, Recycle, Settings

LAST_PORT = 65535


class ConfigError(Exception):
    """Every fault of one configuration, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        """Keep the faults one by one."""
        super().__init__("\n".join(faults))
        self.faults = faults


def load(path: Path) -> Settings:
    """Read and check one file, or raise ConfigError naming every fault in it."""
    try:
        source = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}."]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not valid YAML: {error}"]) from error
    return parse(source, str(path))


def parse(source: Any, where: str = "configuration") -> Settings:
    """Check a mapping and freeze it, or raise ConfigError naming every fault in it."""
    faults: list[str] = []
    fields = Fields(where, source, faults)
    models = tuple(model_of(item) for item in fields.sections("models"))
    apps = [app_of(item) for item in fields.sections("apps")]
    settings = Settings(
        host=fields.text("host", "127.0.0.1"),
        port=_port(fields),
        models=models,
        apps=dict(apps),
        default_model=fields.optional_text("default_model"),
        admin_token_file=fields.optional_text("admin_token_file"),
        card=_card(fields.section("card")),
        rules=_rules(fields.section("rules")),
        limits=_limits(fields.section("limits")),
        recycle=_recycle(fields.section("recycle")),
    )
    fields.finish()
    faults.extend(_named_twice(where, "models", [model.name for model in models]))
    faults.extend(_named_twice(where, "apps", [name for name, _ in apps]))
    faults.extend(_contradictions(where, settings))
    if faults:
        raise ConfigError(faults)
    return settings


def _port(fields: Fields) -> int:
    port = fields.whole("port", 8080)
    if port > LAST_PORT:
        fields.fault("port", f"must be at most {LAST_PORT}, not {port}.")
    return port


def _card(fields: Fields) -> Card:
    card = Card(
        vram_gib=fields.number("vram_gib"),
        source=fields.text("vram_source", "nvml"),
        leak_gib=fields.number("leak_gib", 2.0),
        canary_every=fields.whole("canary_every", 10, above=1),
    )
    if card.source not in ("nvml", "none") and not card.source.startswith("http"):
        fields.fault("vram_source", f"must be nvml, none or an http address, not {card.source!r}.")
    fields.finish()
    return card


def _rules(fields: Fields) -> Rules:
    rules = Rules(
        quantum_s=fields.optional_number("quantum_s"),
        deadline_s=fields.optional_number("deadline_s"),
        residency_s=fields.optional_number("residency_s"),
        default_after_s=fields.optional_number("default_after_s"),
        idle_ttl_s=fields.optional_number("idle_ttl_s"),
    )
    for key, value in (("deadline_s", rules.deadline_s), ("residency_s", rules.residency_s)):
        if rules.quantum_s is not None and value is not None and value > rules.quantum_s:
            fields.fault(key, "must not exceed quantum_s: the wait bound rests on it.")
    fields.finish()
    return rules


def _limits(fields: Fields) -> Limits:
    limits = Limits(
        drain_s=fields.number("drain_s", 120),
        quiet_s=fields.number("quiet_s", 5),
        sleep_s=fields.number("sleep_s", 30),
        first_sleep_s=fields.number("first_sleep_s", 180),
        wake_s=fields.number("wake_s", 60),
        verify_s=fields.number("verify_s", 5),
        canary_s=fields.number("canary_s", 30),
        boot_s=fields.number("boot_s", 1800),
        recycle_s=fields.number("recycle_s", 120),
        connect_s=fields.number("connect_s", 5),
        answer_s=fields.number("answer_s", 600),
        stop_s=fields.number("stop_s", 30),
        watch_s=fields.number("watch_s", 5, above=0.01),
        patience_s=fields.number("patience_s", 6),
        body_mib=fields.number("body_mib", 64),
        queue=fields.whole("queue", 10_000, above=1),
    )
    fields.finish()
    return limits


def _recycle(fields: Fields) -> Recycle:
    recycle = Recycle(
        how=fields.choice("how", ("none", "command", "kubernetes"), "none"),
        command=fields.texts("command"),
        namespace=fields.text("namespace", "llm-infra"),
        pod=fields.text("pod", "vllm-{model}-0"),
    )
    if recycle.how == "command" and not recycle.command:
        fields.fault("command", "is missing: name the program that restarts an engine.")
    if "{model}" not in recycle.pod:
        fields.fault(
            "pod", f"must say where the model's name goes: {{model}}, not {recycle.pod!r}."
        )
    fields.finish()
    return recycle


def _named_twice(where: str, key: str, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"{where}: {key} names {name} twice." for name in twice]


def _contradictions(where: str, settings: Settings) -> list[str]:
    faults = []
    names = [model.name for model in settings.models]
    if not names:
        faults.append(f"{where}: models is empty; name at least one engine.")
    for model in settings.models:
        if model.vram_gib > settings.card.vram_gib:
            faults.append(
                f"{where}: models[{model.name}] needs {model.vram_gib:g} GiB, "
                f"but the card has {settings.card.vram_gib:g} GiB."
            )
    if settings.default_model is not None and settings.default_model not in names:
        faults.append(f"{where}: default_model {settings.default_model!r} is not in models.")
    return faults
