"""Every fault is one sentence that names entry and key, and its path leads to it in the data."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from synapse_common.faults import Fault, SeveralError, fault, faults
from synapse_common.strict import Count, Listed, Port, Positive, Strict, Text

CAPITALS = Annotated[str, Field(pattern="^[A-Z]+$", json_schema_extra={"hint": "capitals"})]
Url = Annotated[str, Field(pattern="^https?://", json_schema_extra={"hint": "http://host"})]


class Model(Strict):
    """What all models have."""

    what: ClassVar[str] = "model"
    name: Text
    source: Text
    fallbacks: Listed[str] = ()
    context: Count | None = None


class Gpu(Model):
    """On the GPU."""

    engine: Literal["vllm"]
    vram_gib: Positive
    environment: dict[CAPITALS, str | int | float] = Field(default_factory=dict)
    url: Url | None = None


class Cpu(Model):
    """On the CPU."""

    engine: Literal["ollama", "speaches"]
    kind: Literal["chat", "embedding", "transcription", "speech"] = "chat"
    base_url: Url | None = None


class Settings(Strict):
    """Numbers."""

    port: Port = 8000
    at_once: Count = 4
    wait_s: Annotated[float, Field(gt=0, lt=100)] = 1.0
    log: bool = False
    words: Annotated[Listed[Annotated[str, Field(max_length=3)]], Field(min_length=1)] = ("a",)
    size: int | Literal["all"] = "all"

    @field_validator("at_once")
    @classmethod
    def _not_unlucky(cls, at_once: int) -> int:
        if at_once == 13:
            raise ValueError("must not be 13")
        return at_once

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        if self.port == 666:
            raise SeveralError([(("port",), "must not be 666"), (("words", 0), '"a" is no word')])
        if self.port == 667:
            raise ValueError("the numbers do not go together")
        return self


class App(Strict):
    """Listed by its own name."""

    what: ClassVar[str] = "app"
    rpm: Count | None = None


class Whole(Strict):
    """A configuration with everything that the real ones have."""

    models: Listed[Annotated[Gpu | Cpu, Field(discriminator="engine")]] = ()
    apps: dict[str, App] = Field(default_factory=dict)
    settings: Settings = Settings()


def said(data: Any) -> list[Fault]:
    with pytest.raises(ValidationError) as refused:
        Whole.model_validate(data)
    return faults(refused.value, Whole, data)


def model(**changes: Any) -> dict[str, Any]:
    entry = {"name": "small", "engine": "ollama", "source": "qwen3:4b", **changes}
    return {"models": [{key: value for key, value in entry.items() if value != "gone"}]}


def gpu(**changes: Any) -> dict[str, Any]:
    return model(**{"name": "big", "engine": "vllm", "vram_gib": 9, **changes})


def settings(**changes: Any) -> dict[str, Any]:
    return {"settings": changes}


@pytest.mark.parametrize(
    ("data", "path", "text"),
    [
        ([], (), "the configuration must be a mapping, not []"),
        ({"modls": []}, ("modls",), 'unknown key "modls"; did you mean "models"?'),
        ({"models": {}}, ("models",), "models must be a list, not {}"),
        ({"models": None}, ("models",), "models must be a list, not nothing (null)"),
        ({"models": [7]}, ("models", 0), "model number 1 must be a mapping, not 7"),
        ({"settings": []}, ("settings",), "settings must be a mapping, not []"),
        (
            model(contxt=1),
            ("models", 0, "contxt"),
            'model small: unknown key "contxt"; did you mean "context"?',
        ),
        (model(**{"3": 4}), ("models", 0, "3"),
             'model small: unknown key "3"; it may have name, source, fallbacks, context, engine, '
             "kind or base_url"),
        (model(source="gone"), ("models", 0, "source"), 'model small: the key "source" is missing'),
        (model(name="gone"), ("models", 0, "name"), 'model number 1: the key "name" is missing'),
        (model(name=""), ("models", 0, "name"), "model number 1: name is empty"),
        (
            model(engine="gone"),
            ("models", 0, "engine"),
            'model small: the key "engine" is missing',
        ),
        (
            model(engine="olama"),
            ("models", 0, "engine"),
            'model small: engine "olama" is not one of vllm, ollama or speaches; '
            'did you mean "ollama"?',
        ),
        (
            model(engine=None),
            ("models", 0, "engine"),
            "model small: engine must be one of vllm, ollama or speaches, not nothing (null)",
        ),
        (
            model(vram_gib=3),
            ("models", 0, "vram_gib"),
            'model small: engine ollama has no "vram_gib"; it is for vllm',
        ),
        (
            gpu(kind="chat"),
            ("models", 0, "kind"),
            'model big: engine vllm has no "kind"; it is for ollama or speaches',
        ),
        (
            model(kind="caht"),
            ("models", 0, "kind"),
            'model small: kind "caht" is not one of chat, embedding, transcription or speech; '
            'did you mean "chat"?',
        ),
        (
            model(context="4k"),
            ("models", 0, "context"),
            "model small: context must be a whole number, not '4k'",
        ),
        (
            model(fallbacks=["a", 1]),
            ("models", 0, "fallbacks", 1),
            "model small: fallbacks: entry 2 must be a text, not 1",
        ),
        (
            model(base_url="ftp://x"),
            ("models", 0, "base_url"),
            'model small: base_url "ftp://x" is not valid; write http://host',
        ),
        (
            gpu(environment={"A": True}),
            ("models", 0, "environment", "A"),
            'model big: environment: "A" must be a text or a number, not true',
        ),
        (
            gpu(environment={"a": 1}),
            ("models", 0, "environment", "a"),
            'model big: environment: "a" is not valid; write capitals',
        ),
        (
            gpu(environment={1: 1}),
            ("models", 0, "environment", 1),
            'model big: environment: the key "1" must be a text, not 1',
        ),
        ({"apps": {"jarvis": {"rpm": 0}}}, ("apps", "jarvis", "rpm"),
         "app jarvis: rpm must be at least 1, not 0"),
        ({"apps": {"jarvis": {"rmp": 5}}}, ("apps", "jarvis", "rmp"),
         'app jarvis: unknown key "rmp"; did you mean "rpm"?'),
        (settings(port="eighty"), ("settings", "port"),
         "settings: port must be a whole number, not 'eighty'"),
        (settings(port=70000), ("settings", "port"),
         "settings: port must be at most 65535, not 70000"),
        (settings(port=8000.0), ("settings", "port"),
         "settings: port must be a whole number, not 8000.0"),
        (settings(at_once=True), ("settings", "at_once"),
         "settings: at_once must be a whole number, not true"),
        (settings(at_once=-3), ("settings", "at_once"),
         "settings: at_once must be at least 1, not -3"),
        (settings(at_once=13), ("settings", "at_once"), "settings: at_once must not be 13"),
        (settings(wait_s=0), ("settings", "wait_s"),
         "settings: wait_s must be greater than 0, not 0"),
        (settings(wait_s=100), ("settings", "wait_s"),
         "settings: wait_s must be less than 100, not 100"),
        (settings(wait_s=float("nan")), ("settings", "wait_s"),
         "settings: wait_s must be a finite number, not nan"),
        (settings(wait_s=float("inf")), ("settings", "wait_s"),
         "settings: wait_s must be a finite number, not inf"),
        (settings(log="no"), ("settings", "log"),
         "settings: log must be yes or no (true or false), not 'no'"),
        (settings(words=[]), ("settings", "words"), "settings: words is empty"),
        (settings(words=["long"]), ("settings", "words", 0),
         "settings: words: entry 1 must have at most 3 characters, not 4"),
        (settings(size=1.5), ("settings", "size"),
         'settings: size must be a whole number or "all", not 1.5'),
        (settings(size="al"), ("settings", "size"),
         "settings: size must be a whole number or \"all\", not 'al'"),
        (settings(port=667), ("settings",), "settings: the numbers do not go together"),
        (settings(log="x" * 99), ("settings", "log"),
         f"settings: log must be yes or no (true or false), not '{'x' * 56}..."),
    ],
)  # fmt: skip
def test_one_fault_is_one_sentence_with_its_place(data: Any, path: Any, text: str) -> None:
    assert said(data) == [Fault(path, text)]


def test_all_faults_are_told_at_once() -> None:
    entries = [*model(engine="x", contxt=1)["models"], *model(name="b", source=None)["models"]]
    assert [one.text for one in said({"models": entries, "settings": {"port": 0, "prot": 1}})] == [
        'model small: engine "x" is not one of vllm, ollama or speaches',
        'model small: unknown key "contxt"; did you mean "context"?',
        "model b: source must be a text, not nothing (null)",
        "settings: port must be at least 1, not 0",
        'settings: unknown key "prot"; did you mean "port"?',
    ]


def test_a_validator_may_find_several() -> None:
    assert said(settings(port=666)) == [
        Fault(("settings", "port"), "settings: port must not be 666"),
        Fault(("settings", "words", 0), 'settings: words: "a" is no word'),
    ]


def test_a_rule_names_places_in_the_same_way() -> None:
    data = model(fallbacks=["gone"])
    assert fault(("models", 0, "fallbacks", 0), '"gone" is no model', Whole, data).text == (
        'model small: fallbacks: "gone" is no model'
    )
    assert fault(("models", 0), "comes from nowhere", Whole, data).text == (
        "model small: comes from nowhere"
    )
    assert fault((), "there is no model", Whole, data).text == "there is no model"


def test_what_is_right_is_frozen_and_lists_are_tuples() -> None:
    whole = Whole.model_validate(gpu(fallbacks=["a"]))
    assert whole.models[0].fallbacks == ("a",)
    assert isinstance(whole.models[0], Gpu)
    assert whole.models[0].vram_gib == 9.0
    with pytest.raises(ValidationError):
        whole.settings.port = 1
