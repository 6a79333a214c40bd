"""What a model that LiteLLM reaches may say: its source, and parameters that are nobody else's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synapse_common.engines import AUDIO_KINDS, LITELLM
from synapse_deploy.catalogue.rules import Found, kind_of, named

SOURCE = re.compile(r"[a-z0-9][\w.-]*/\S+")
PARAMETER = re.compile(r"[A-Za-z_]\w*")
SECRET = "secret"  # noqa: S105  # the key of a mapping that names one
ENTRY = re.compile(r"[\w.-]+")
TIMES = "the gateway's own time-outs hold (gateway_timeout_s and its like)"
OWN_PARAMETERS = {
    "api_base": "write base_url",
    "api_key": "write api_key beside parameters",
    "base_url": "write base_url beside parameters",
    "drop_params": "name what the provider may not get in additional_drop_params",
    "fallbacks": "write fallbacks beside parameters",
    "max_retries": "the gateway goes to a fallback instead",
    "model": "write source",
    "num_retries": "the gateway goes to a fallback instead",
    "request_timeout": TIMES,
    "stream_timeout": TIMES,
    "timeout": TIMES,
}
CONFIDENTIAL = re.compile(r"(_key|_secret|_token|password|credentials)$|secret")
"""Names of parameters whose values are nobody's business."""


def litellm(site: Mapping[str, Any]) -> Found:
    """A litellm model names its provider; no parameter is one that has a key of its own."""
    for model in named(site, "synapse_models").values():
        source, ours = model.entry.get("source"), model.entry.get("engine") == LITELLM.name
        if ours and isinstance(source, str) and source and not SOURCE.fullmatch(source):
            yield (
                (*model.path, "source"),
                f'"{source}" must look like provider/model, such as anthropic/claude-sonnet-4-5',
            )
        if model.entry.get("parameters") and (kind := kind_of(model.entry)) in AUDIO_KINDS:
            text = f"are for LiteLLM, and a model of kind {kind} is reached without it; take it out"
            yield (*model.path, "parameters"), text
        for path, name, value in model.items("parameters"):
            if text := _parameter(name, value):
                yield path, text


def _parameter(name: str, value: Any) -> str:
    """Say what is wrong with a parameter; empty: nothing."""
    if name in OWN_PARAMETERS:
        return f"is set by Synapse itself; {OWN_PARAMETERS[name]}"
    if not PARAMETER.fullmatch(name):
        return "is no name of a parameter, such as api_version"
    if isinstance(value, Mapping) and SECRET in value:
        named_well = isinstance(value[SECRET], str) and ENTRY.fullmatch(value[SECRET])
        whole = named_well and len(value) == 1
        return "" if whole else "must name one entry of the Secret, as in {secret: NAME}"
    if isinstance(value, str) and CONFIDENTIAL.search(name):
        return (
            "is a secret; put it into the provider-keys Secret and write {secret: NAME} "
            "with its entry there"
        )
    return ""
