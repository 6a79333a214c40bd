"""What the user left out is filled in, and what this site cannot run is stood in for."""

from typing import Any

import pytest

from synapse_deploy.catalogue.resolve import resolve, resolve_apps, resolve_names

GPU = {"vram_gib": 32}


def model(name: str, engine: str = "ollama", *fallbacks: str) -> dict[str, Any]:
    return {"name": name, "engine": engine, "source": name, "fallbacks": list(fallbacks)}


BIG = model("big", "vllm", "middle", "cloud")
MIDDLE = model("middle", "vllm", "small")
SMALL = model("small", "ollama", "big")
CLOUD = model("cloud", "openai", "big", "small")
MODELS = [BIG, MIDDLE, SMALL, CLOUD]


FIXED = {"thinking": True, "max_output_tokens": 9000}


def test_every_key_is_present_after_resolving() -> None:
    (entry,) = resolve([{"name": "a", "engine": "ollama", "source": "a:1"}], [GPU])
    assert entry == {
        "name": "a",
        "engine": "ollama",
        "source": "a:1",
        "kind": "chat",
        "context": None,
        "vram_gib": None,
        "kv_cache_gib": None,
        "loading_gib": None,
        "disk_gib": None,
        "fallbacks": [],
        "engine_args": {},
        "environment": {},
        "capabilities": None,
        "parameters": {},
        "price": None,
        "leaves": None,
        "languages": [],
        "voices": {},
        "base_url": None,
        "api_key": None,
    }


def test_what_an_engine_can_do_is_told() -> None:
    parsed = {**BIG, "engine_args": {"reasoning-parser": "qwen3"}, "capabilities": ["vision"]}
    found = {
        entry["name"]: entry["capabilities"] for entry in resolve([parsed, *MODELS[1:]], [GPU])
    }
    assert found == {
        "big": ["vision", "reasoning", "json"], "middle": ["json"], "small": None, "cloud": None,
    }  # fmt: skip


def test_with_a_gpu_every_model_is_served() -> None:
    assert [entry["name"] for entry in resolve(MODELS, [GPU])] == [
        "big",
        "middle",
        "small",
        "cloud",
    ]
    aliases = [{"name": "chat", "model": "big"}]
    assert resolve_names(aliases, MODELS, [GPU]) == aliases


def test_without_a_gpu_its_models_are_left_out() -> None:
    assert [entry["name"] for entry in resolve(MODELS, [])] == ["small", "cloud"]


def test_without_a_gpu_their_names_reach_the_first_fallback_that_works() -> None:
    names = resolve_names([{"name": "chat", "model": "big"}], MODELS, [])
    assert {name["name"]: name["model"] for name in names} == {
        "chat": "small",
        "big": "small",
        "middle": "small",
    }


def test_a_preset_is_kept_with_what_it_says() -> None:
    preset = {"name": "think", "model": "big", "parameters": {"effort": "high"}, "fixed": {}}
    thinks = {**BIG, "capabilities": ["reasoning"]}
    (name,) = resolve_names([preset], [thinks, *MODELS[1:]], [GPU])
    assert name == {"name": "think", "model": "big", "parameters": {"effort": "high"}}


@pytest.mark.parametrize(
    ("stand_in", "kept"),
    [
        ({}, {"parameters": {"temperature": 1, "effort": "low"}, "fixed": FIXED}),
        (
            {"capabilities": ["reasoning"], "context": 10_000},
            {"parameters": {"temperature": 1, "effort": "low"}, "fixed": FIXED},
        ),
        ({"capabilities": ["tools"], "context": 9000}, {"parameters": {"temperature": 1}}),
    ],
    ids=["nothing-known", "able", "unable-and-small"],
)
def test_without_a_gpu_a_preset_keeps_what_its_stand_in_can_follow(
    stand_in: dict[str, Any], kept: dict[str, Any]
) -> None:
    preset = {
        "name": "think",
        "model": "big",
        "parameters": {"temperature": 1, "effort": "low", "system": None},
        "fixed": FIXED,
    }
    models = [BIG, MIDDLE, {**SMALL, **stand_in}, CLOUD]
    (name, *_) = resolve_names([preset], models, [])
    assert (name.pop("name"), name.pop("model")) == ("think", "small")
    assert name == kept


def test_without_a_gpu_fallbacks_name_only_what_is_served() -> None:
    fallbacks = {entry["name"]: entry["fallbacks"] for entry in resolve(MODELS, [])}
    assert fallbacks == {"small": [], "cloud": ["small"]}


@pytest.mark.parametrize("given", [{}, {"priority": "batch"}])
def test_applications_get_every_key(given: dict[str, Any]) -> None:
    (app,) = resolve_apps([{"name": "a", "models": ["*"], **given}])
    assert app["priority"] == given.get("priority", "interactive")
    assert app["requests_per_minute"] is None
    assert app["max_wait_s"] is None


def test_an_application_for_tasks_has_what_is_usual_and_the_limits_of_the_other() -> None:
    webui = {"name": "webui", "models": ["chat"], "requests_per_minute": 9, "person_from": "user"}
    tasks = {"name": "titles", "tasks_of": "webui", "parallel_requests": 2}
    found = {app["name"]: app for app in resolve_apps([tasks, webui])}["titles"]
    assert (found["models"], found["priority"]) == (["fast"], "batch")
    assert (found["requests_per_minute"], found["parallel_requests"]) == (9, 2)
    assert (found["person_from"], found["may_leave"], found["lists"]) == ("user", False, [])


@pytest.mark.parametrize("own", [{"models": ["small"]}, {"requests_per_minute": 3}])
def test_what_an_application_for_tasks_says_itself_counts(own: dict[str, Any]) -> None:
    webui = {"name": "webui", "models": ["chat"], "requests_per_minute": 9}
    (_, found) = resolve_apps([webui, {"name": "titles", "tasks_of": "webui", **own}])
    assert found.items() >= own.items()


@pytest.mark.parametrize(
    ("engine", "kind"), [("speaches", "transcription"), ("piper", "speech"), ("openai", "chat")]
)
def test_a_kind_that_is_left_out_is_the_engines_own(engine: str, kind: str) -> None:
    (entry,) = resolve([model("a", engine)], [GPU])
    assert entry["kind"] == kind


@pytest.mark.parametrize(
    ("source", "known", "unknown"),
    [
        ("Systran/faster-whisper-small", {"en", "de", "haw"}, {"yue", "tlh", "eng"}),
        ("Systran/faster-whisper-large-v3", {"en", "yue"}, {"tlh"}),
        ("Systran/faster-whisper-small.en", {"en"}, {"de"}),
    ],
    ids=["many", "third-generation", "english-alone"],
)
def test_a_model_that_hears_knows_whispers_languages(
    source: str, known: set[str], unknown: set[str]
) -> None:
    entry: dict[str, Any] = {"name": "ears", "engine": "speaches", "source": source}
    (resolved,) = resolve([entry], [])
    assert known <= set(resolved["languages"])
    assert not unknown & set(resolved["languages"])
    (told,) = resolve([entry | {"languages": ["en"]}], [])
    assert told["languages"] == ["en"]


def test_a_providers_languages_are_not_known() -> None:
    outside = {"name": "far", "engine": "openai", "kind": "transcription", "source": "whisper-1"}
    assert resolve([outside], [])[0]["languages"] == []
