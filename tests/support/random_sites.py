"""Random sites with models in the house and outside, and applications that may leave or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

Entry = dict[str, Any]

FACTS: Entry = yaml.safe_load(
    (Path(__file__).parents[2] / "group_vars/all/defaults.yml").read_text()
)
PLACES = {
    "https://api.example.com/v1": True,
    "http://8.8.8.8/v1": True,
    "http://134744072/v1": True,
    "http://gpu.example.lan/v1": True,
    "https://10.0.0.5.example.com/v1": True,
    "http://10.0.0.5:8000/v1": False,
    "http://172.31.0.9/v1": False,
    "http://192.168.1.4:1234/v1": False,
    "http://[fd00::5]/v1": False,
    "http://localai.apps.svc:8080/v1": False,
}
"""Addresses, and whether they are outside the house."""
KINDS = {
    "chat": ("vllm", "ollama", "ollama", "openai", "openai", "litellm"),
    "embedding": ("vllm", "ollama", "openai"),
    "transcription": ("speaches", "openai"),
}
"""The engines of the models, by kind."""
SOURCES = {
    "vllm": "owner/model-{}",
    "ollama": "model{}:4b",
    "openai": "gpt-{}",
    "litellm": "anthropic/claude-{}",
    "speaches": "owner/whisper-{}.en",
}


@dataclass(frozen=True)
class Site:
    """What somebody wrote, and which of its models are outside, by how they were made."""

    written: Entry
    outside: frozenset[str]

    @property
    def models(self) -> Mapping[str, Entry]:
        """The models by name."""
        return {each["name"]: each for each in self.written["synapse_models"]}


def _model(draw: st.DrawFn, number: int, kind: str) -> tuple[Entry, bool]:
    engine = draw(st.sampled_from(KINDS[kind]))
    told: Entry = {"name": f"m{number}", "engine": engine, "kind": kind}
    told["source"] = SOURCES[engine].format(number)
    if engine == "vllm":
        return told | {"vram_gib": 4.0, "kv_cache_gib": 0.5}, False
    if engine not in ("openai", "litellm"):
        return told, False
    is_outside = True  # LiteLLM knows the provider's address
    if engine == "openai" or draw(st.booleans()):
        told["base_url"] = draw(st.sampled_from(sorted(PLACES)))
        is_outside = PLACES[told["base_url"]]
    if draw(st.integers(0, 3)) == 0:
        is_outside = told["leaves"] = draw(st.booleans())
    return told, is_outside


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Make a site; about half of them are refused for what leaves the house."""
    kinds = ["chat", "chat", *draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=5))]
    made = [_model(draw, number, kind) for number, kind in enumerate(kinds)]
    models = [each for each, _ in made]
    outside = frozenset(each["name"] for each, leaves in made if leaves)
    wild = draw(st.booleans())  # chains that nobody thought about
    for number, model in enumerate(models):
        later = [each["name"] for each in models[number + 1 :] if each["kind"] == model["kind"]]
        peers = [name for name in later if wild or (name in outside) == (model["name"] in outside)]
        chosen = st.lists(st.sampled_from(peers), unique=True, max_size=2) if peers else st.just([])
        model["fallbacks"] = draw(chosen)
    names = [model["name"] for model in models]
    aliases = [
        {"name": f"a{number}", "model": draw(st.sampled_from(names))}
        for number in range(draw(st.integers(0, 3)))
    ]
    inside = [*(set(names) - outside)]
    inside += [alias["name"] for alias in aliases if alias["model"] in inside]
    every = [*names, *(alias["name"] for alias in aliases)]
    apps = [_app(draw, number, sorted(inside), every) for number in range(3)]
    lists = {"synapse_models": models, "synapse_aliases": aliases, "synapse_apps": apps}
    gpus = draw(st.sampled_from([[{"vram_gib": 31.4}], [{"vram_gib": 31.4}], []]))
    return Site({**FACTS, "synapse_gpus": gpus, **lists}, outside)


def _app(draw: st.DrawFn, number: int, inside: list[str], every: list[str]) -> Entry:
    may_leave = draw(st.booleans())
    told: Entry = {"name": f"app{number}"} | ({"may_leave": True} if may_leave else {})
    careless = may_leave or not inside or draw(st.integers(0, 4)) == 0
    if draw(st.integers(0, 2)) == 0:
        return told | {"models": ["*"]}
    chosen = st.sampled_from(every if careless else inside)
    return told | {"models": draw(st.lists(chosen, unique=True, min_size=1, max_size=4))}
