"""From a slice of the catalogue to LiteLLM's configuration. Pure, without Ansible.

It is complete: LiteLLM alone gives the same model for a name as the gateway, and the same fallback,
but for one outside the house in place of one inside: LiteLLM knows no application that may leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import ENGINES, LITELLM, OPENAI, is_on_gpu
from synapse_deploy.catalogue.leaving import leaves
from synapse_deploy.catalogue.litellm_rules import SECRET
from synapse_deploy.render.context_fallbacks import roomier
from synapse_deploy.render.reached import is_text, place, variable

Entry = Mapping[str, Any]

# LiteLLM's leanest way to any OpenAI-compatible server, the gateway included, and to a rerank API.
LOCAL = "hosted_vllm"
# The one that passes everything on that OpenAI's own API has, such as strict tools.
OUTSIDE = OPENAI.name  # LiteLLM calls it so too
NO_KEY = "none"
OWN_KEY = "os.environ/LITELLM_MASTER_KEY"
"""What opens LiteLLM, and the gateway's inner port for LiteLLM."""
# Nobody reads what LiteLLM thinks an answer cost; it would look long for why it cost nothing.
FREE = {"input_cost_per_token": 0, "output_cost_per_token": 0}
CALLBACKS = "synapse_litellm.callbacks.instance"
"""Our hooks into LiteLLM, in its pod."""
# What OpenAI's API has and LiteLLM would refuse for a model that is not in its list of OpenAI's.
ALLOWED = ["user", "reasoning_effort", "verbosity", "response_format", "metadata"]


def config(
    models: Iterable[Entry],
    names: Iterable[Entry],
    engines: Mapping[str, Entry],
    timeouts: Mapping[str, float],
) -> dict[str, Any]:
    """Return LiteLLM's configuration: a route per model, names, fallback chains, no retries."""
    models = _staying([model for model in models if is_text(model)])
    served = {model["name"] for model in models}
    aliases = {name["name"]: name["model"] for name in names if name["model"] in served}
    fallbacks = {model["name"]: list(model["fallbacks"]) for model in models if model["fallbacks"]}
    return {
        "model_list": [_route(model, engines, timeouts) for model in models],
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "timeout": timeouts["timeout_s"],
            "model_group_alias": aliases,
            "fallbacks": _by_every_name(fallbacks, aliases),
            "context_window_fallbacks": _by_every_name(roomier(models), aliases),
            # A chain may be as long as there are models; LiteLLM would stop after five.
            "max_fallbacks": max(len(models), 1),
        },
        "general_settings": {
            "master_key": OWN_KEY,
            "background_health_checks": False,
            "cancel_on_disconnect": True,
            "forward_client_headers_to_llm_api": True,  # our callbacks say which go where
        },
        "litellm_settings": {
            "callbacks": [CALLBACKS],
            # What a provider does not take is refused with its name, never dropped untold.
            "drop_params": False,
            "disable_stop_sequence_limit": True,
            "num_retries": 0,
            "request_timeout": timeouts["timeout_s"],
            "turn_off_message_logging": True,
            # An address speaks chat for certain; whether it has OpenAI's responses nobody knows.
            "use_chat_completions_url_for_anthropic_messages": True,
        },
    }


def _staying(models: list[Entry]) -> list[Entry]:
    """Return the models, those of the house without their fallbacks outside."""
    outside = {model["name"] for model in models if leaves(model)}
    return [
        model
        if model["name"] in outside
        else {**model, "fallbacks": [one for one in model["fallbacks"] if one not in outside]}
        for model in models
    ]


def _by_every_name(
    chains: Mapping[str, list[Any]], aliases: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return chains for the names of models and for further ones, which LiteLLM does not look up.

    Each has lists of its own, or YAML would write references.
    """
    further = {name: list(chains[model]) for name, model in aliases.items() if model in chains}
    return [{name: chain} for name, chain in {**chains, **further}.items()]


def secrets_of(model: Entry) -> list[str]:
    """Return the entries of the provider-keys Secret that a model's route needs."""
    own = [model["api_key"]] if model.get("api_key") else []
    return own + [
        value[SECRET] for value in (model.get("parameters") or {}).values() if _is_secret(value)
    ]


def _route(
    model: Entry, engines: Mapping[str, Entry], timeouts: Mapping[str, float]
) -> dict[str, Any]:
    url, name = place(model, engines)
    return {
        "model_name": model["name"],
        "litellm_params": {
            "model": _called(model, name),
            **({"api_base": url} if url else {}),
            **_key(model),
            "max_retries": 0,
            "timeout": timeouts["timeout_s"],
            "stream_timeout": timeouts["stream_timeout_s"],
            **_as_it_speaks(model),
            **{
                name: _environment(value[SECRET]) if _is_secret(value) else value
                for name, value in (model.get("parameters") or {}).items()
            },
        },
        "model_info": {
            "id": model["name"],
            "mode": model["kind"],
            **FREE,
            "connect_timeout_s": timeouts["connect_timeout_s"],
            "via_arbiter": is_on_gpu(model["engine"]),
        },
    }


def _key(model: Entry) -> dict[str, str]:
    """Return the key that opens the address; without one, LiteLLM would look for a provider's."""
    if ENGINES[model["engine"]].is_native:
        return {"api_key": OWN_KEY}
    if key := model.get("api_key"):
        return {"api_key": _environment(key)}
    return {} if model["engine"] == LITELLM.name else {"api_key": NO_KEY}


def _called(model: Entry, name: str) -> str:
    """Return the model's name with LiteLLM's name of what serves it."""
    if model["engine"] == LITELLM.name:
        return name
    passes_all = ENGINES[model["engine"]].is_outside and model["kind"] != "rerank"
    return f"{OUTSIDE if passes_all else LOCAL}/{name}"


def _as_it_speaks(model: Entry) -> dict[str, Any]:
    """Return what is to be known of an address that has OpenAI's chat, and maybe no responses."""
    engine = ENGINES[model["engine"]]
    if model["kind"] != "chat" or not (engine.is_native or engine.name == OPENAI.name):
        return {}
    allowed = {} if engine.is_native else {"allowed_openai_params": ALLOWED}
    return {"use_chat_completions_api": True, **allowed}


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and SECRET in value


def _environment(entry: str) -> str:
    return f"os.environ/{variable(entry)}"
