"""What LiteLLM loads by its setting `callbacks`: the patches, and what each request needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from litellm.integrations.custom_logger import CustomLogger

from synapse_common import protocol
from synapse_litellm import patches
from synapse_litellm.warm_up import warm_up

FOR_ARBITER = frozenset(
    name.lower()
    for name in (
        protocol.APP,
        protocol.PERSON,
        protocol.PRIORITY,
        protocol.REQUEST_ID,
        protocol.MAX_WAIT,
    )
)
FOR_PROVIDERS = frozenset({"anthropic-beta"})
"""Of the headers that come in, what goes to the arbiter, and what to everybody else."""


class Callbacks(CustomLogger):  # type: ignore[misc]  # LiteLLM is not there when types are checked
    """Sets what a route's `model_info` says: how long to connect, and who gets which headers."""

    async def async_pre_call_deployment_hook(
        self, kwargs: dict[str, Any], call_type: Any
    ) -> dict[str, Any]:
        """Prepare one attempt; LiteLLM calls it before each."""
        info = _model_info(kwargs)
        wanted = FOR_ARBITER if info.get("via_arbiter") else FOR_PROVIDERS
        for name in ("headers", "extra_headers"):
            if kwargs.get(name):
                kwargs[name] = _only(kwargs[name], wanted)
        connect_s = info.get("connect_timeout_s")
        if connect_s and isinstance(kwargs.get("timeout"), int | float):
            # LiteLLM makes of `pool` the limit of all that comes before the request is sent, the
            # look for the name's address included, which `connect` leaves out.
            kwargs["timeout"] = httpx.Timeout(
                float(kwargs["timeout"]), connect=connect_s, pool=connect_s
            )
        return kwargs


def _model_info(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    for place in (kwargs, kwargs.get("metadata"), kwargs.get("litellm_metadata")):
        if place and place.get("model_info"):
            return dict(place["model_info"])
    return {}


def _only(headers: Mapping[str, str], wanted: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in wanted}


patches.require_honest_endings()
patches.require_whole_texts()
patches.require_error_codes()
patches.require_connect_timeouts()
patches.require_discretion()
warm_up()
instance = Callbacks()
