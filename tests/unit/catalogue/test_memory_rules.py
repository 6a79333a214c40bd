"""Memory is added up before it is missing: the GPU's while loading, the server's for sleepers."""

from typing import Any

import pytest

from synapse_deploy.catalogue.gpu_rules import gpus
from synapse_deploy.catalogue.memory import copies, copy_gib, loading_gib
from synapse_deploy.catalogue.server_rules import needed_gib, server

EXACT = {"PYTORCH_ALLOC_CONF": "pinned_max_round_threshold_mb:1"}
NVFP4 = "owner/Model-30B-A3B-NVFP4"
Site = dict[str, Any]


def model(**keys: Any) -> dict[str, Any]:
    written = {"name": "big", "engine": "vllm", "source": "owner/name", "vram_gib": 24}
    return {**written, "kv_cache_gib": 4, **keys}


def site(*models: dict[str, Any], **facts: Any) -> Site:
    return {"synapse_gpus": [{"vram_gib": 31.4}], "synapse_models": list(models), **facts}


def small(**keys: Any) -> dict[str, Any]:
    return model(name="small", vram_gib=8, kv_cache_gib=2, **keys)


def cpu(engine: str, name: str) -> dict[str, Any]:
    return {"name": name, "engine": engine, "source": "a:1"}


def told(found: Any) -> str:
    ((_, text),) = found
    return str(text)


@pytest.mark.parametrize(
    ("environment", "times"),
    [
        ({}, 2.0),
        (EXACT, 1.15),
        ({"PYTORCH_ALLOC_CONF": "expandable_segments:True,pinned_max_round_threshold_mb:16"}, 1.15),
        ({"PYTORCH_ALLOC_CONF": "pinned_max_round_threshold_mb:17"}, 2.0),
        ({"PYTORCH_ALLOC_CONF": "pinned_max_cached_size_mb:1"}, 2.0),
        ({"PYTORCH_ALLOC_CONF": "spinned_max_round_threshold_mb:1"}, 2.0),
        ({"PYTORCH_ALLOC_CONF": 1}, 2.0),
        ("no mapping", 2.0),
    ],
)
def test_a_sleepers_copy_is_counted_twice_unless_torch_pins_exactly(
    environment: Any, times: float
) -> None:
    entry = model(environment=environment)
    assert copies(entry) == times
    assert copy_gib(entry) == 20 * times


@pytest.mark.parametrize(
    ("keys", "times"),
    [
        ({}, 1),
        ({"source": NVFP4}, 1.57),
        ({"source": "owner/model-30b-a3b-nvfp4"}, 1.57),
        ({"source": "owner/Model-122B-A10.5B-NVFP4"}, 1.57),
        ({"source": "owner/Model-30B-A3B", "engine_args": {"quantization": "modelopt_fp4"}}, 1.57),
        ({"source": NVFP4, "engine_args": {"moe-backend": "marlin"}}, 1),
        ({"source": "owner/Model-27B-NVFP4"}, 1),
        ({"source": "owner/Model-30B-A3B-INT4"}, 1),
        ({"source": NVFP4, "engine_args": "no mapping"}, 1.57),
        ({"source": None}, 1),
    ],
)
def test_nvfp4_with_experts_grows_while_it_loads(keys: dict[str, Any], times: float) -> None:
    assert loading_gib(model(**keys)) == 20 * times


def test_what_was_measured_replaces_the_estimate() -> None:
    assert loading_gib(model(source=NVFP4, loading_gib=23.5)) == 23.5


def test_a_model_that_outgrows_the_gpu_while_it_loads_is_refused_with_the_sum() -> None:
    (path, text), *others = gpus(site(model(source=NVFP4), small()))
    assert path == ("synapse_models", 0, "source")
    assert text == (
        "is NVFP4 with experts, which needs 1.57 times its 20 while it loads with sleep mode (an "
        "estimate), and 1 asleep beside it keep 1.5 each: 32.9, but the GPU has 31.4 "
        "(synapse_gpus); write moe-backend: marlin, take another quantization, or write into "
        "loading_gib what you saw it take"
    )
    assert others == []
    assert list(gpus(site(model(source=NVFP4)))) == []
    marlin = {"moe-backend": "marlin"}
    assert list(gpus(site(model(source=NVFP4, engine_args=marlin), small()))) == []


def test_what_was_measured_while_loading_must_fit_as_well() -> None:
    (path, text), *others = gpus(site(model(source=NVFP4, loading_gib=30), small()))
    assert path == ("synapse_models", 0, "loading_gib")
    assert text.startswith("30 while it loads, and 1 asleep beside it keep 1.5 each: 31.5, but")
    assert others == []
    assert list(gpus(site(model(source=NVFP4, loading_gib=29.9), small()))) == []


@pytest.mark.parametrize(("awake", "fits"), [(31, False), (29.9, True)])
def test_a_model_fits_beside_what_every_sleeper_keeps(awake: float, fits: bool) -> None:
    found = list(gpus(site(model(vram_gib=awake), small())))
    assert bool(found) is not fits
    if not fits:
        assert "31 awake, and 1 asleep beside it keep 1.5 each: 32.5, but" in told(found)


def test_a_server_too_small_for_its_sleepers_is_refused_with_the_sum() -> None:
    (path, text), *others = server(
        site(
            model(),
            small(environment=EXACT),
            cpu("ollama", "a"),
            cpu("ollama", "b"),
            cpu("speaches", "c"),
            cpu("piper", "d"),
            cpu("openai", "e"),
            synapse_memory_gib=110,
            synapse_cpu_memory_gib=32,
            synapse_speech_memory_gib=6,
            gateway_memory_mib=2048,
        )
    )
    assert path == ("synapse_memory_gib",)
    assert text == (
        "110 is less than may be used at once, 118.9 GiB: 4 the system + 2 gateway + 1.5 LiteLLM "
        "+ 0.5 arbiter + 66.9 engines on the GPU (big 2 x 20 + 10, small 1.15 x 6 + 10) + 32 "
        "models on the CPU (synapse_cpu_memory_gib) + 12 audio (2 x synapse_speech_memory_gib); "
        "lower one of these limits, take out a GPU model, or have the engines pin exactly "
        "(PYTORCH_ALLOC_CONF: pinned_max_round_threshold_mb:1)"
    )
    assert others == []


def test_where_all_pin_exactly_that_is_no_advice() -> None:
    text = told(server(site(model(environment=EXACT), synapse_memory_gib=30)))
    assert text.endswith("take out a GPU model")


@pytest.mark.parametrize("has", [None, 57, "much"])
def test_a_server_that_is_large_enough_or_not_known_is_well(has: Any) -> None:
    assert list(server(site(model(), synapse_memory_gib=has))) == []


def test_without_a_gpu_its_models_take_nothing() -> None:
    assert needed_gib(site(model())) == 4 + 1 + 1.5 + 0.5 + 2 * 20 + 10
    assert needed_gib({**site(model()), "synapse_gpus": []}) == 4 + 1 + 1.5
    facts = {"vllm_overhead_gib": 3, "arbiter_memory_mib": 1024}
    assert needed_gib(site(model(), **facts)) == 4 + 1 + 1.5 + 1 + 2 * 20 + 3


def test_litellm_takes_nothing_where_there_is_only_sound() -> None:
    heard = cpu("speaches", "c") | {"kind": "transcription"}
    assert needed_gib(site(heard, synapse_speech_memory_gib=6)) == 4 + 1 + 6
