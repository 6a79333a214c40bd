"""What a site may set of the roles, and what is refused before anything is deployed."""

from typing import Any

import pytest
import yaml

from synapse_deploy.catalogue import check, options

SITE: dict[str, Any] = {name: fact.default for name, fact in options.facts().items()} | {
    "synapse_gpus": [{"vram_gib": 31.4}],
    "synapse_models": [
        {"name": "big", "engine": "vllm", "source": "a/b", "vram_gib": 9, "kv_cache_gib": 1},
        {"name": "small", "engine": "ollama", "source": "small:1b"},
    ],
    "synapse_aliases": [],
    "synapse_apps": [],
}


def told(**changes: Any) -> list[str]:
    """Every fault of a site that sets these options."""
    return [one.text for one in check.problems({**SITE, **changes})]


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"gateway_timeout_s": 0, "gateway_memory_mib": -1},
         ["gateway_timeout_s must be greater than 0, not 0",
          "gateway_memory_mib must be at least 1, not -1"]),
        ({"gateway_timeout_s": 2000, "gateway_stream_timeout_s": 1801},
         ["gateway_timeout_s must not exceed gateway_total_timeout_s (1800), not 2000",
          "gateway_stream_timeout_s must not exceed gateway_total_timeout_s (1800), not 1801"]),
        ({"gateway_rerank_timeout_s": 1802},
         ["gateway_rerank_timeout_s must not exceed gateway_total_timeout_s (1800), not 1802"]),
        ({"gateway_total_timeout_s": 500},
         ["gateway_total_timeout_s must be at least gateway_timeout_s (600), not 500"]),
        ({"gateway_requests_at_once": 1025, "gateway_json_text_mib": 11},
         ["gateway_requests_at_once must not exceed the 1024 connections it takes",
          "gateway_json_text_mib must be at most 10: more takes long to parse"]),
        ({"gateway_requests_at_once": 200},
         ["gateway_requests_at_once must be at least gateway_app_requests_at_once (256), not 200"]),
        ({"gateway_requests_at_once": 200, "gateway_app_requests_at_once": 201},
         ["gateway_app_requests_at_once must not exceed gateway_requests_at_once (200), not 201"]),
        ({"synapse_apps": [{"name": "a", "models": ["*"], "parallel_requests": 300}]},
         ["app a: parallel_requests must not exceed gateway_app_requests_at_once (256), "
          "not 300"]),
        ({"speech_workers": 0, "speech_reserve_gib": -2, "speech_download_limit_s": 0},
         ["speech_workers must be at least 1, not 0",
          "speech_download_limit_s must be at least 1, not 0",
          "speech_reserve_gib must be at least 0, not -2"]),
        ({"arbiter_vram_source": "nvm"},
         ['arbiter_vram_source "nvm" is not valid; write nvml, none or an http address']),
        ({"arbiter_rules": {"quantum_s": 5, "deadline_s": 9}},
         ["arbiter_rules: deadline_s must not exceed quantum_s (5): the wait bound rests on it"]),
        ({"arbiter_limits": {"queue": 0}}, ["arbiter_limits: queue must be at least 1, not 0"]),
        ({"arbiter_default_model": "small"},
         ['arbiter_default_model "small" is no model on the GPU']),
        ({"vllm_memory_request_gib": 0},
         ["vllm_memory_request_gib must be greater than 0, not 0"]),
        ({"ollama_insecure_registries": "host:5000"},
         ["ollama_insecure_registries must be a list, not 'host:5000'"]),
        ({"kube_objects_wait_s": 2.5}, ["kube_objects_wait_s must be a whole number, not 2.5"]),
    ],
)  # fmt: skip
def test_an_option_that_cannot_work_is_refused(
    changes: dict[str, Any], sentences: list[str]
) -> None:
    assert told(**changes) == sentences


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gateway_uploads_at_once", "4"),
        ("gateway_log_prompts", "true"),
        ("ollama_prune_models", "yes"),
        ("speech_reserve_gib", "0"),
        ("ollama_pull_ports", "[443, 5000]"),
        ("vllm_image", "example.org/vllm:1"),
    ],
)
def test_what_the_command_line_gives_as_text_is_read_as_ansible_reads_it(
    name: str, text: str
) -> None:
    assert told(**{name: text}) == []


def test_every_default_of_a_role_is_one_that_may_be_written() -> None:
    own = options.own()
    defaults = {
        name: value
        for name, value in options.defaults().items()
        if name in own and "{{" not in str(value)
    }
    assert len(defaults) > 50
    assert told(**defaults) == []


def test_options_that_the_wiring_sets_are_checked_apart() -> None:
    wired = yaml.safe_load(options.WIRING.read_text())
    names = set(check.wired(wired))
    assert names.isdisjoint(check.looked_at(wired))
    assert names | set(check.looked_at(wired)) >= {
        name for name in wired if not name.startswith("synapse_")
    }
    (fault,) = check.wired_problems({"ollama_memory_gib": "lots"})
    assert fault.text == "ollama_memory_gib must be a number, not 'lots'"


@pytest.mark.parametrize("name", options.PASSED)
def test_what_roles_pass_to_each_other_is_not_for_a_site(name: str) -> None:
    (fault,) = check.unknown([name])
    assert fault.text == f"{name}: is passed by the roles themselves; take it out"
