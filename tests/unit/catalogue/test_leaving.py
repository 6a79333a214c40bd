"""Which models are outside the house, by their entries and their addresses."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_deploy.catalogue.leaving import leaves, ways_out
from synapse_deploy.render import gateway_config


def entry(engine: str = "openai", **more: Any) -> dict[str, Any]:
    return {"name": "cloud", "engine": engine, "source": "x/y", "fallbacks": [], **more}


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3:8000/v1",
        "http://172.31.255.255",
        "https://192.168.1.20/v1",
        "http://127.0.0.1:9",
        "http://[::1]:8000/v1",
        "http://[fd00::7]/v1",
        "http://localhost:8000",
        "http://speaches:8000/v1",
        "http://llm.other.svc:8000",
        "http://llm.other.svc.cluster.local.:8000",
        "http://LLM.other.svc",
    ],
)
def test_an_address_in_the_house_stays(url: str) -> None:
    assert not leaves(entry(base_url=url))
    assert not leaves(entry("litellm", base_url=url))
    assert leaves(entry(base_url=url, leaves=True))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "http://8.8.8.8/v1",
        "http://172.32.0.1",
        "http://192.0.2.7:8000",
        "http://100.64.0.1",  # another house may have it
        "http://169.254.169.254/v1",
        "http://[2001:db8::1]/v1",
        "http://[::ffff:8.8.8.8]/v1",
        "http://134744072/v1",  # 8.8.8.8
        "http://0x08080808/v1",
        "http://server.lan:8000",
        "http://svc.example.com",
        "http://10.0.0.1.example.com",
        "http://10.0.0.1@example.com/v1",
        "http://example.com#.llm.svc",
        "http://[broken/v1",
        "",
        None,
    ],
)
def test_any_other_leaves_unless_its_entry_says_otherwise(url: str | None) -> None:
    assert leaves(entry(base_url=url))
    assert leaves(entry("litellm", base_url=url))
    assert not leaves(entry(base_url=url, leaves=False))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"azure_endpoint": "https://house.openai.azure.com"}, True),
        ({"extra": [{"deep": "https://api.example.com"}]}, True),
        ({"endpoint": "http://10.0.0.5", "api_version": "2026-06-01", "seed": 1}, False),
    ],
)
def test_an_address_among_litellms_parameters_counts(
    parameters: dict[str, Any], expected: bool
) -> None:
    found = leaves(entry("litellm", base_url="http://10.0.0.4", parameters=parameters))
    assert found is expected


@pytest.mark.parametrize("engine", ["vllm", "ollama", "speaches", "piper", "no-engine", None])
def test_an_engine_of_the_house_never_leaves(engine: Any) -> None:
    assert not leaves(entry(engine, leaves=True))


def test_every_way_out_is_found_once_and_by_its_shortest_chain() -> None:
    models = {
        "a": entry("ollama", fallbacks=["b", "c", "gone", 7]),
        "b": entry("ollama", fallbacks=["c", "a"]),
        "c": entry("ollama", fallbacks=["out", "b"]),
        "out": entry(fallbacks=["further"]),
        "further": entry(),
    }
    assert list(ways_out("a", models)) == [["a", "c", "out"]]
    assert list(ways_out("out", models)) == [["out"]]
    assert list(ways_out("nobody", models)) == []


def test_the_gateway_is_told() -> None:
    engines = {"litellm": {"url": "http://litellm:4000"}, "ollama": {"url": "http://ollama:11434"}}
    price = {"input_usd_per_million": 3.0, "usd_per_query": None}
    models = [
        entry(base_url="https://api.example.com/v1", kind="chat", price=price),
        entry("litellm", base_url=None, kind="chat"),
        entry("litellm", base_url=None, kind="chat", price={"usd_per_query": 0.1}),
        entry("litellm", base_url="http://10.0.0.4", kind="chat"),
        entry("ollama", kind="chat"),
    ]
    told = gateway_config.gateway(models, [], [], engines, {})["models"]
    kept = [
        {key: model.get(key) for key in ("leaves", "price", "listed_as") if key in model}
        for model in told
    ]
    assert kept == [
        {"leaves": True, "price": {"input_usd_per_million": 3.0}},
        {"leaves": True, "listed_as": "x/y"},
        {"leaves": True, "price": {"usd_per_query": 0.1}},
        {},
        {},
    ]
