"""Rules between the options of roles, and between them and the lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synapse_common.engines import GATEWAY_CONNECTIONS, GATEWAY_TEXT_MIB_AT_MOST, is_on_gpu
from synapse_common.words import suggest
from synapse_deploy.catalogue import options
from synapse_deploy.catalogue.rules import Found, named

WHOLE = "gateway_total_timeout_s"
MEDIA = "gateway_media_domains"
ALL_AT_ONCE, OF_APP = "gateway_requests_at_once", "gateway_app_requests_at_once"
TEXT_MIB = "gateway_json_text_mib"
HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9])?")
PARTS = (
    "gateway_timeout_s", "gateway_stream_timeout_s", "gateway_connect_timeout_s",
    "gateway_embedding_timeout_s", "gateway_rerank_timeout_s", "gateway_speaking_timeout_s",
)  # fmt: skip


def timeouts(site: Mapping[str, Any]) -> Found:
    """No wait within a request of the gateway is longer than the whole request may last."""
    limit_s = _number(site, WHOLE)
    for name in PARTS:
        wait_s = _number(site, name)
        if limit_s and wait_s > limit_s and name in site:
            yield (name,), f"must not exceed {WHOLE} ({limit_s:g}), not {wait_s:g}"
        elif limit_s and wait_s > limit_s:  # which has its default
            yield (WHOLE,), f"must be at least {name} ({wait_s:g}), not {limit_s:g}"


def places(site: Mapping[str, Any]) -> Found:
    """No limit of the gateway's is above another one that would come first."""
    all_at_once, of_app = _number(site, ALL_AT_ONCE), _number(site, OF_APP)
    if all_at_once > GATEWAY_CONNECTIONS:
        yield (ALL_AT_ONCE,), f"must not exceed the {GATEWAY_CONNECTIONS} connections it takes"
    if of_app > all_at_once and OF_APP in site:
        yield (OF_APP,), f"must not exceed {ALL_AT_ONCE} ({all_at_once:g}), not {of_app:g}"
    elif of_app > all_at_once:  # which has its default
        yield (ALL_AT_ONCE,), f"must be at least {OF_APP} ({of_app:g}), not {all_at_once:g}"
    for app in named(site, "synapse_apps").values():
        at_model = app.entry.get("parallel_requests")
        if isinstance(at_model, int) and at_model > of_app:
            yield (
                (*app.path, "parallel_requests"),
                f"must not exceed {OF_APP} ({of_app:g}), not {at_model}",
            )
    if _number(site, TEXT_MIB) > GATEWAY_TEXT_MIB_AT_MOST:
        yield (TEXT_MIB,), f"must be at most {GATEWAY_TEXT_MIB_AT_MOST}: more takes long to parse"


def default_model(site: Mapping[str, Any]) -> Found:
    """The model that is woken again when the GPU idles is one of the GPU's."""
    wanted = site.get("arbiter_default_model")
    models = named(site, "synapse_models")
    on_gpu = [name for name, model in models.items() if is_on_gpu(model.entry.get("engine"))]
    if isinstance(wanted, str) and wanted not in on_gpu:
        yield (
            ("arbiter_default_model",),
            f'"{wanted}" is no model on the GPU{suggest(wanted, on_gpu)}',
        )


def media_domains(site: Mapping[str, Any]) -> Found:
    """Pictures come from hosts by their bare names, to engines that reach the internet."""
    given = site.get(MEDIA)
    hosts = given if isinstance(given, list) else []
    for number, host in enumerate(hosts):
        if isinstance(host, str) and not HOST.fullmatch(host):
            yield (
                (MEDIA, number),
                f'"{host}" must be the bare name of a host, such as images.example.org',
            )
    if hosts and site.get("vllm_offline") is True:
        yield (
            (MEDIA,),
            "needs the internet, from which vllm_offline keeps the engines; take one out",
        )


def _number(site: Mapping[str, Any], name: str) -> float:
    value = site.get(name, options.defaults().get(name))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
