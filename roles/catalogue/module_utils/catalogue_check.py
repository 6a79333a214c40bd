"""Every fault of what the user wrote, at once: the shape of each entry, then the rules between."""

from __future__ import annotations

from typing import Any

from catalogue_card import check_card
from catalogue_engine import check_engine
from catalogue_rules import (
    check_aliases,
    check_apps,
    check_fallbacks,
    check_files,
    check_names,
)
from catalogue_shape import (
    ALIAS_FIELDS,
    APP_FIELDS,
    DERIVED,
    GPU_FIELDS,
    INGRESS_FIELDS,
    LISTS,
    PLATFORM_FIELDS,
    Entry,
    check_fields,
    check_model,
    check_value,
    entries_of,
    suggest,
)
from catalogue_speech import check_speech


def problems(site: dict[str, Any]) -> list[str]:
    """Describe every fault in a site's variables (`synapse_*`), one sentence each."""
    lists, found = _split(site)
    for label, model in lists["model"]:
        found += check_model(label, model) + check_engine(label, model)
        found += check_speech(label, model)
    for what, fields in (("alias", ALIAS_FIELDS), ("app", APP_FIELDS)):
        for label, entry in lists[what]:
            found += check_fields(label, entry, fields)
    return found + _platform(site) + _between(lists, site)


def _split(site: dict[str, Any]) -> tuple[dict[str, list[tuple[str, Entry]]], list[str]]:
    lists, found = {}, []
    for what, variable in zip(("model", "alias", "app"), LISTS, strict=True):
        lists[what], wrong = entries_of(site.get(variable), what, variable)
        found += wrong
    return lists, found


def _platform(site: dict[str, Any]) -> list[str]:
    known = (*PLATFORM_FIELDS, *LISTS, *DERIVED)
    found = [
        f"{name}: nobody reads this variable{suggest(name, known)}"
        for name in site
        if name not in known
    ]
    for name, field in PLATFORM_FIELDS.items():
        if name in site:
            found += check_value(name, site[name], field)
        else:
            found.append(f"{name}: is not set; set it in group_vars/all/platform.yml")
    if isinstance(site.get("synapse_gateway_ingress"), dict):
        found += check_fields(
            "synapse_gateway_ingress", site["synapse_gateway_ingress"], INGRESS_FIELDS
        )
    return found + _gpus(site.get("synapse_gpus"))


def _gpus(value: Any) -> list[str]:
    pairs, found = entries_of(value, "GPU", "synapse_gpus") if value else ([], [])
    for label, gpu in pairs:
        found += check_fields(label, gpu, GPU_FIELDS)
    if len(pairs) > 1:
        found.append(
            f"synapse_gpus: names {len(pairs)} GPUs; the arbiter serves one so far, keep one"
        )
    return found


def _between(lists: dict[str, list[tuple[str, Entry]]], site: dict[str, Any]) -> list[str]:
    named = {
        what: [_tamed(entry) for _, entry in pairs if isinstance(entry.get("name"), str)]
        for what, pairs in lists.items()
    }
    models = {model["name"]: model for model in named["model"]}
    aliases = [alias["name"] for alias in named["alias"]]
    gpus = site.get("synapse_gpus")
    found = [text for what, entries in named.items() for text in check_names(what, entries)]
    found += check_aliases(named["alias"], models)
    found += check_fallbacks(models, aliases)
    found += check_card(
        models, [gpu for gpu in gpus if isinstance(gpu, dict)] if isinstance(gpus, list) else []
    )
    found += check_files(models, site.get("synapse_model_files_path"))
    return found + check_apps(named["app"], [*models, *aliases])


def _tamed(entry: Entry) -> Entry:
    """Keep only the names in lists of names, so that the rules need not doubt their input."""
    lists = {
        key: [name for name in entry[key] if isinstance(name, str)]
        for key in ("fallbacks", "models")
        if isinstance(entry.get(key), list)
    }
    others = {key: value for key, value in entry.items() if key not in ("fallbacks", "models")}
    return {**others, **lists}
