"""Names stand once in their list, and who is named exists: told at once with all other faults."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from synapse_common.reading import ConfigError, read
from synapse_common.references import Refers
from synapse_common.strict import Listed, Strict, Text

ModelName = Annotated[str, Refers(("models",))]
AnyName = Annotated[str, Refers(("models", "aliases"), also=("*",))]


class Gpu(Strict):
    """On the GPU."""

    what: ClassVar[str] = "model"
    name: Text
    engine: Literal["vllm"]
    fallbacks: Listed[ModelName] = ()


class Cpu(Strict):
    """On the CPU."""

    what: ClassVar[str] = "model"
    name: Text
    engine: Literal["ollama"]


class Alias(Strict):
    """One more name."""

    what: ClassVar[str] = "alias"
    name: Text
    model: ModelName


class App(Strict):
    """Listed by its own name."""

    what: ClassVar[str] = "app"
    models: Listed[AnyName]


class Whole(Strict):
    """Lists, and a mapping of entries."""

    models: Listed[Annotated[Gpu | Cpu, Field(discriminator="engine")]] = ()
    aliases: Listed[Alias] = ()
    apps: dict[str, App] = Field(default_factory=dict)
    default: Annotated[Text, Refers(("models",))] | None = None
    favourite: Annotated[Text, Refers(("apps",))] | None = None


def data(**changes: Any) -> dict[str, Any]:
    models = [
        {"name": "big", "engine": "vllm", "fallbacks": ["small"]},
        {"name": "small", "engine": "ollama"},
    ]
    return {"models": models, "aliases": [{"name": "chat", "model": "big"}], **changes}


def test_what_exists_may_be_named() -> None:
    apps = {"jarvis": {"models": ["chat", "small"]}, "all": {"models": ["*"]}}
    assert read(Whole, data(apps=apps, default="big", favourite="jarvis")).default == "big"


@pytest.mark.parametrize(
    ("changes", "path", "text"),
    [
        ({"models": [{"name": "big", "engine": "vllm", "fallbacks": ["bg"]}]},
         ("models", 0, "fallbacks", 0),
         'model big: fallbacks: "bg" is no model; did you mean "big"?'),
        ({"aliases": [{"name": "chat", "model": "chat"}]}, ("aliases", 0, "model"),
         'alias chat: model "chat" is no model'),
        ({"apps": {"jarvis": {"models": ["*", "cat"]}}}, ("apps", "jarvis", "models", 1),
         'app jarvis: models: "cat" is neither a model nor an alias; did you mean "chat"?'),
        ({"default": "smal"}, ("default",), 'default "smal" is no model; did you mean "small"?'),
        ({"favourite": "x"}, ("favourite",), 'favourite "x" is no app'),
        ({"aliases": [{"name": "chat", "model": "big"}] * 3}, ("aliases", 2),
         "alias chat: is listed 3 times; keep one"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_a_fault_at_its_place(
    changes: dict[str, Any], path: Any, text: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(Whole, data(**changes))
    assert [(one.path, one.text) for one in refused.value.found] == [(path, text)]


def test_an_entry_that_is_wrong_itself_is_still_there_to_be_named() -> None:
    models = [
        {"name": "big", "engine": "vllm", "fallbacks": ["small"]},
        {"name": "small", "engine": "ollma"},
    ]
    with pytest.raises(ConfigError) as refused:
        read(Whole, data(models=models))
    assert refused.value.faults == [
        'model small: engine "ollma" is not one of vllm or ollama; did you mean "ollama"?'
    ]
