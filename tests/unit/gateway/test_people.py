"""Who is behind a request: read where the application says, hashed, and nowhere else named."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_common.refusals import Refusal
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import App, ConfigError, build
from synapse_gateway.people import DIGITS, LONGEST, SECRET_VARIABLE, NoSecretError, People

BY_FIELD = App(name="chat", models=("*",), person_from="user")
BY_HEADER = App(name="web", models=("*",), person_from="X-OpenWebUI-User-Id")
NOBODY = App(name="script", models=("*",))
HASHED = People(b"secret", hashed=True)
PLAIN = People(b"secret", hashed=False)
NAME = "anna@example.org"
MODEL = {"name": "m", "kind": "chat", "engine": "vllm", "url": "http://e/v1", "served_name": "m"}


def noted(
    app: App, told: dict[str, Any], dialect: str = "chat", people: People = HASHED
) -> RequestRecord:
    record = RequestRecord("POST", "/", app=app)
    people.note_fields(record, app, dialect, told)
    return record


def test_a_hash_is_the_same_for_ever_and_another_with_another_secret_or_application() -> None:
    hashes = {
        HASHED.hash_of(BY_FIELD, NAME),
        HASHED.hash_of(BY_HEADER, NAME),
        HASHED.hash_of(BY_FIELD, NAME + "x"),
        People(b"other", hashed=True).hash_of(BY_FIELD, NAME),
    }
    assert len(hashes) == 4
    assert {len(each) for each in hashes} == {DIGITS}
    assert HASHED.hash_of(BY_FIELD, NAME) == "0bc7295aba5668b4"


@pytest.mark.parametrize(
    ("dialect", "told"),
    [
        ("chat", {"user": NAME}),
        ("chat", {"safety_identifier": NAME}),
        ("responses", {"user": f" {NAME} ", "safety_identifier": "another"}),
        ("embeddings", {"user": NAME}),
        ("messages", {"metadata": {"user_id": NAME}}),
    ],
)
def test_a_body_names_him_in_its_own_dialect_and_keeps_the_hash_alone(
    dialect: str, told: dict[str, Any]
) -> None:
    record = noted(BY_FIELD, told, dialect)
    assert record.person == record.person_shown == HASHED.hash_of(BY_FIELD, NAME)
    assert NAME not in str(told)
    assert record.person in str(told)


def test_a_name_goes_to_no_engine_also_where_the_site_does_not_tell_people_apart() -> None:
    told = {"user": NAME}
    record = noted(NOBODY, told)
    assert record.person is None
    assert told["user"] == HASHED.hash_of(NOBODY, NAME)


@pytest.mark.parametrize("app", [NOBODY, BY_FIELD, BY_HEADER])
@pytest.mark.parametrize("dialect", ["chat", "responses", "messages", "native"])
@pytest.mark.parametrize("key", ["user", "user_id", "safety_identifier"])
def test_metadata_names_him_to_no_engine_either(app: App, dialect: str, key: str) -> None:
    told = {"metadata": {key: NAME, "topic": "kept"}}
    record = noted(app, told, dialect)
    assert told == {"metadata": {key: HASHED.hash_of(app, NAME), "topic": "kept"}}
    counts = app is BY_FIELD and dialect == "messages"
    assert (record.person is not None) == counts, "it counts where the dialect has it"


@pytest.mark.parametrize("app", [NOBODY, BY_FIELD, BY_HEADER])
@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
@pytest.mark.parametrize("odd", [4711, {"name": "bob"}, False])
@pytest.mark.parametrize(
    "place", ["user", "safety_identifier", "metadata.user_id", "metadata.user"]
)
def test_a_name_that_is_no_text_is_refused_for_every_application(
    app: App, dialect: str, odd: Any, place: str
) -> None:
    inner, _, key = place.rpartition(".")
    told = {inner: {key: odd}} if inner else {key: odd}
    with pytest.raises(Refusal, match="must be a text") as caught:
        noted(app, told, dialect)
    assert (caught.value.status, caught.value.param) == (400, place)


@pytest.mark.parametrize("told", [{}, {"user": None}, {"user": ""}, {"user": " "}])
def test_who_is_not_named_is_nobody(told: dict[str, Any]) -> None:
    assert noted(BY_FIELD, told).person is None


@pytest.mark.parametrize("metadata", [None, [], "x", {}, {"user_id": None}])
def test_metadata_of_any_shape_names_nobody(metadata: Any) -> None:
    assert noted(BY_FIELD, {"metadata": metadata}, "messages").person is None


@pytest.mark.parametrize("name", ["a\nb", "a\x00", "\x9b", "x" * (LONGEST + 1), 7, ["a"], True])
@pytest.mark.parametrize(("dialect", "place"), [("chat", "user"), ("messages", "metadata.user_id")])
def test_a_name_that_is_none_is_refused_with_its_place(name: Any, dialect: str, place: str) -> None:
    told = {"metadata": {"user_id": name}} if dialect == "messages" else {"user": name}
    with pytest.raises(Refusal, match="names who asks") as caught:
        noted(BY_FIELD, told, dialect)
    assert (caught.value.status, caught.value.param) == (400, place)


def test_a_long_text_that_was_set_aside_is_no_name() -> None:
    record = RequestRecord("POST", "/", app=BY_FIELD)
    with pytest.raises(Refusal):
        HASHED.note_fields(record, BY_FIELD, "chat", {"user": "mark"}, lambda text: 20_000)


def test_the_longest_name_is_one() -> None:
    assert noted(BY_FIELD, {"user": "ü" * LONGEST}).person


def test_a_header_names_him_and_the_body_does_not() -> None:
    record = RequestRecord("POST", "/", app=BY_HEADER)
    HASHED.note_header(record, BY_HEADER, {"X-OpenWebUI-User-Id": NAME})
    told = {"user": "another"}
    HASHED.note_fields(record, BY_HEADER, "chat", told)
    assert record.person == HASHED.hash_of(BY_HEADER, NAME)
    assert told["user"] == HASHED.hash_of(BY_HEADER, "another")
    nobody = RequestRecord("POST", "/", app=NOBODY)
    HASHED.note_header(nobody, NOBODY, {"X-OpenWebUI-User-Id": NAME})
    assert nobody.person is None


def test_a_form_names_him_too() -> None:
    record = RequestRecord("POST", "/", app=BY_FIELD)
    HASHED.note_form(record, BY_FIELD, [("model", "m"), ("safety_identifier", ""), ("user", NAME)])
    assert record.person == HASHED.hash_of(BY_FIELD, NAME)
    empty = RequestRecord("POST", "/", app=BY_FIELD)
    HASHED.note_form(empty, BY_FIELD, [("model", "m")])
    assert empty.person is None


def test_the_log_has_the_hash_or_the_name_beside_it_as_the_site_says() -> None:
    hashed = noted(BY_FIELD, {"user": NAME}).line()
    assert hashed["person"] == HASHED.hash_of(BY_FIELD, NAME)
    assert "person_hash" not in hashed
    plain = noted(BY_FIELD, {"user": NAME}, people=PLAIN).line()
    assert (plain["person"], plain["person_hash"]) == (NAME, hashed["person"])
    assert noted(NOBODY, {"user": NAME}, people=PLAIN).line()["person"] is None


def test_without_the_secret_people_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    known = build({"models": [MODEL], "apps": [{"name": "a", "models": ["*"]}]})
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    People.of(known)
    app = {"name": "a", "models": ["*"], "person_from": "user"}
    telling = build({"models": [MODEL], "apps": [app]})
    with pytest.raises(NoSecretError, match="the people of a could not"):
        People.of(telling)
    monkeypatch.setenv(SECRET_VARIABLE, "secret")
    found = People.of(telling)
    assert found.hash_of(BY_FIELD, NAME) == HASHED.hash_of(BY_FIELD, NAME)


@pytest.mark.parametrize(
    "name",
    ["authorization", "X-Api-Key", "Cookie", "x-synapse-app", "x-synapse-person", "X-Request-Id",
     "X-Forwarded-For", "User", "a b", "X_User", "Größe", ""],
)  # fmt: skip
def test_a_header_that_names_no_person_is_refused(name: str) -> None:
    app = {"name": "a", "models": ["*"], "person_from": name}
    with pytest.raises(ConfigError, match="app a: person_from"):
        build({"models": [MODEL], "apps": [app]})
