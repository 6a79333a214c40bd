"""Every fault of what a user wrote, at once: each value on its own, then the rules between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import Field, create_model

from synapse_common.faults import fault
from synapse_common.place import Path
from synapse_common.reading import ConfigError, Rule, read
from synapse_common.strict import Listed, Strict
from synapse_common.words import suggest
from synapse_deploy.catalogue import options
from synapse_deploy.catalogue.app_rules import lists, tasks
from synapse_deploy.catalogue.capability_rules import capabilities, poorer_fallbacks
from synapse_deploy.catalogue.chat_rules import chat
from synapse_deploy.catalogue.entries import Alias, AnyModel, App
from synapse_deploy.catalogue.facts import Facts
from synapse_deploy.catalogue.gpu_rules import gpus
from synapse_deploy.catalogue.key_rules import ending_keys
from synapse_deploy.catalogue.leaving_rules import leaving, limits, prices
from synapse_deploy.catalogue.litellm_rules import litellm
from synapse_deploy.catalogue.ollama_rules import ollama, penalties
from synapse_deploy.catalogue.preset_rules import preset
from synapse_deploy.catalogue.role_rules import default_model, media_domains, places, timeouts
from synapse_deploy.catalogue.rules import LISTS, aliases, fallbacks, files, names
from synapse_deploy.catalogue.server_rules import server
from synapse_deploy.catalogue.speech_rules import speech
from synapse_deploy.catalogue.starter_rules import starter
from synapse_deploy.catalogue.vllm_rules import version, vllm
from synapse_deploy.catalogue.wyoming_rules import wyoming

# The product's own, in versions.yml and wiring.yml: nobody else writes them.
DERIVED = (
    "synapse_version", "synapse_images", "synapse_server", "synapse_tools", "synapse_catalogue",
    "synapse_engines", "synapse_image_gib", "synapse_images_used", "synapse_names",
    "synapse_clients",
)  # fmt: skip
# Names that were given up or are not there yet, with what to write now.
RENAMED = {
    "synapse_gpu": "it is the list synapse_gpus now; write `synapse_gpus: [{vram_gib: 31.4}]`",
    "synapse_agents": "agents come with a later version; name the one server in hosts.yml",
    "vllm_metrics_clients": "the arbiter shows the engines' metrics; use arbiter_metrics_clients",
}
RULES = (
    names, aliases, preset, fallbacks, files, gpus, server, vllm, version, ollama, litellm,
    capabilities, speech, wyoming, chat, timeouts, places, default_model, media_domains, leaving,
    prices, limits, tasks, lists,
)  # fmt: skip
WARNINGS = (poorer_fallbacks, penalties, ending_keys, starter)
"""What is worth knowing of a site that is good."""


@dataclass(frozen=True)
class Problem:
    """One fault: the place in the site, which begins with a variable's name, and a sentence."""

    path: Path
    text: str


class Lists(Facts):
    """A site without options of roles."""

    synapse_models: Listed[AnyModel] = Field(description="the models")
    synapse_aliases: Listed[Alias] = Field(description="further names for models")
    synapse_apps: Listed[App] = Field(description="who may call the gateway")


@cache
def site_model() -> type[Strict]:
    """Return the model of everything that a site may set."""
    return create_model("Site", __base__=Lists, **_fields(options.own()))


@cache
def wired_model() -> type[Strict]:
    """Return the model of the options that wiring.yml sets."""
    specs = {name: spec for name, spec in options.specs().items() if name in options.wired()}
    return create_model("Wired", __base__=Strict, **_fields(specs))


def _fields(specs: Mapping[str, options.Spec]) -> dict[str, Any]:
    return {name: options.field(name, spec) for name, spec in specs.items()}


def is_ours(name: str) -> bool:
    """Tell whether a variable's name begins like one of the product's or of a role's."""
    prefix, _, rest = name.partition("_")
    starts = ("synapse", *options.roles())
    return bool(rest) and (prefix in starts or name.startswith(tuple(f"{one}_" for one in starts)))


def looked_at(variables: Iterable[str]) -> list[str]:
    """Return the variables whose values can be checked: those that a site may set."""
    known = site_model().model_fields
    return [name for name in variables if name in known]


def wired(variables: Iterable[str]) -> list[str]:
    """Return the variables that wiring.yml sets for the roles."""
    known = wired_model().model_fields
    return [name for name in variables if name in known]


def unknown(variables: Iterable[str]) -> list[Problem]:
    """Return a fault for every variable of ours that nothing reads."""
    read = {*site_model().model_fields, *wired_model().model_fields}
    known = {*read, *options.REGISTERED, *DERIVED}
    return [
        Problem((name,), f"{name}: {_unknown(name, known)}")
        for name in sorted(variables)
        if is_ours(name) and name not in known
    ]


def _unknown(name: str, known: Iterable[str]) -> str:
    if name in options.PASSED:
        return "is passed by the roles themselves; take it out"
    return RENAMED.get(name) or f"unknown variable{suggest(name, sorted(known)) or '; take it out'}"


def problems(site: Mapping[str, Any]) -> list[Problem]:
    """Return every fault in the variables of a site, each a sentence that names the entry."""
    missing = [name for name in LISTS if name not in site]
    found = [Problem((name,), f"{name}: is not set; write [] for none") for name in missing]
    return found + _read(site_model(), {**site, **{name: [] for name in missing}}, *RULES)


def warnings(site: Mapping[str, Any]) -> list[Problem]:
    """Return what the user of a good site may not expect, each a sentence that names the entry."""
    found = (one for rule in WARNINGS for one in rule(site))
    told = (fault(path, text, site_model(), site) for path, text in found)
    return [Problem(one.path, one.text) for one in told]


def wired_problems(values: Mapping[str, Any]) -> list[Problem]:
    """Return every fault in what wiring.yml sets, or a site in its place."""
    return _read(wired_model(), values)


def _read(model: type[Strict], values: Mapping[str, Any], *rules: Rule) -> list[Problem]:
    specs = options.specs()
    known = {
        name: options.plain(value, specs[name]) if name in specs else value
        for name, value in values.items()
        if name in model.model_fields
    }
    try:
        read(model, known, *rules)
    except ConfigError as error:
        return [Problem(one.path, one.text) for one in error.found]
    return []
