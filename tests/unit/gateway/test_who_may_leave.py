"""What an application may ask for, and who may answer it, where some models are outside."""

from __future__ import annotations

import pytest

from relayed import config, model
from synapse_common.refusals import Refusal
from synapse_common.secrets import MASTER_ENTRY
from synapse_gateway.config import Config
from synapse_gateway.request import model_of

OUT = {"leaves": True}
MODELS = [
    model("a", "ollama", "b"),
    model("b", "ollama", "cloud", "c"),
    model("c", "ollama"),
    model("cloud", "openai", "dear", "c", **OUT),
    model("dear", "litellm", **OUT),
]
ALIASES = [{"name": "smart", "model": "cloud"}, {"name": "chat", "model": "a"}]
APPS = [
    {"name": "app", "models": ["*"]},
    {"name": "named", "models": ["chat", "smart"]},
    {"name": "may", "models": ["*"], "may_leave": True},
    {"name": "may-some", "models": ["chat"], "may_leave": True},
]


@pytest.fixture(scope="module")
def known() -> Config:
    return config(*MODELS, aliases=ALIASES, apps=APPS)


@pytest.mark.parametrize(
    ("app", "permitted", "withheld"),
    [
        ("app", {"a", "b", "c", "chat"}, {"cloud", "dear", "smart"}),
        ("named", {"a", "b", "c", "chat"}, {"cloud", "dear", "smart"}),
        ("may", {"a", "b", "c", "chat", "cloud", "dear", "smart"}, set()),
        ("may-some", {"a", "b", "c", "chat", "cloud", "dear"}, set()),
        (MASTER_ENTRY, {"a", "b", "c", "chat", "cloud", "dear", "smart"}, set()),
    ],
)
def test_names_that_lead_outside_are_for_those_who_may(
    known: Config, app: str, permitted: set[str], withheld: set[str]
) -> None:
    assert known.permitted[app] == permitted
    assert known.withheld[app] == withheld


@pytest.mark.parametrize(
    ("app", "chain"), [("app", ["a", "b", "c"]), ("may", ["a", "b", "cloud", "dear", "c"])]
)
def test_a_chain_passes_by_what_is_outside(known: Config, app: str, chain: list[str]) -> None:
    first = known.models["a"]
    assert [each.name for each in known.chain(first, known.apps[app])] == chain


def test_without_an_application_nothing_leaves(known: Config) -> None:
    assert [each.name for each in known.chain(known.models["cloud"], None)] == ["c"]


@pytest.mark.parametrize("name", ["cloud", "smart"])
def test_a_name_outside_is_refused_with_what_the_operator_can_do(known: Config, name: str) -> None:
    with pytest.raises(Refusal, match="may_leave: true") as found:
        model_of(name, "chat", known.apps["app"], known)
    assert (found.value.status, found.value.code) == (403, "may_not_leave")
    assert model_of(name, "chat", known.apps["may"], known)[1].name == "cloud"


def test_a_name_that_is_not_on_its_list_is_unknown_as_ever(known: Config) -> None:
    narrow = config(*MODELS, apps=[{"name": "app", "models": ["c"]}])
    with pytest.raises(Refusal) as found:
        model_of("cloud", "chat", narrow.apps["app"], narrow)
    assert (found.value.status, found.value.code) == (404, "model_not_found")
