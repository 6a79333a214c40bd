"""Nothing leaves the house for an application that may not, on any route; others are told."""

from __future__ import annotations

import pytest

from gateway_process import Gateway, events
from openai_stub import Behaviour, OpenAIStub

from .asking import CHATS, OTHERS, ask
from .conftest import client

OUTSIDE = [
    *((path, "cloud") for path in CHATS),
    *((path, "smart") for path in CHATS),
    *((path, f"cloud-{name}") for path, (name, _) in OTHERS.items()),
]
CHAINS = [
    *((path, model) for path in CHATS for model in ("home-out", "chat", "gpu-out")),
    ("/v1/embeddings", "home-embed"),
    ("/api/embed", "home-embed"),
    ("/v1/rerank", "home-ranks"),
    ("/v1/audio/speech", "voice"),
    ("/v1/audio/transcriptions", "ears"),
    ("/v1/audio/translations", "ears"),
]
COUNTED = ("/v1/messages/count_tokens",)
STREAMED = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"]


def fail(house: OpenAIStub) -> None:
    """Let every engine in the house fail."""
    for name in ("home-out", "gpu-out", "home-embed", "home-ranks", "ears", "voice"):
        house.behaviours[name] = Behaviour(status=503)


@pytest.mark.parametrize(("path", "model"), OUTSIDE)
def test_a_model_outside_is_refused_to_who_may_not_leave(
    gateway: Gateway, cloud: OpenAIStub, path: str, model: str
) -> None:
    with client(gateway, "diary") as diary:
        answer = ask(diary, path, model)
    assert answer.status_code == 403, answer.text
    assert f"The model '{model}' is outside the house" in answer.text
    assert "may_leave: true" in answer.text
    assert cloud.received == []
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["error"], line["outside"], line["tried"]) == ("may_not_leave", False, [])


@pytest.mark.parametrize(("path", "model"), CHAINS)
def test_no_fallback_leaves_for_who_may_not(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub, path: str, model: str
) -> None:
    fail(house)
    with client(gateway, "diary") as diary:
        answer = ask(diary, path, model)
    # LiteLLM counts tokens itself, unless the engine does.
    assert answer.status_code == 503 or path in COUNTED, answer.text
    assert cloud.received == []
    assert "x-synapse-outside" not in answer.headers
    assert gateway.line_of(answer.headers["x-request-id"])["outside"] is False


@pytest.mark.parametrize("path", [path for path in CHATS if path not in COUNTED])
def test_what_is_too_long_for_the_house_does_not_leave_either(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub, path: str
) -> None:
    too_long = "the input length exceeds the context length"
    house.behaviours["home-out"] = Behaviour(status=400, message=too_long)
    with client(gateway, "diary") as diary:
        answer = ask(diary, path, "home-out")
    assert answer.status_code == 400, answer.text
    assert "context length" in answer.text
    assert cloud.received == []


@pytest.mark.parametrize("path", STREAMED)
def test_no_stream_leaves_for_who_may_not(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub, path: str
) -> None:
    fail(house)
    with client(gateway, "diary") as diary:
        assert ask(diary, path, "home-out", stream=True).status_code == 503
        assert ask(diary, path, "cloud", stream=True).status_code == 403
    assert cloud.received == []


@pytest.mark.parametrize(("path", "model"), [pair for pair in CHAINS if pair[0] not in COUNTED])
def test_who_may_leave_is_told_that_the_answer_did(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub, path: str, model: str
) -> None:
    fail(house)
    with client(gateway, "page") as page:
        answer = ask(page, path, model)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-synapse-outside"] == "true"
    assert answer.headers["x-synapse-model"].startswith("cloud")
    assert len(cloud.received) == 1
    assert gateway.line_of(answer.headers["x-request-id"])["outside"] is True


@pytest.mark.parametrize("path", STREAMED)
def test_a_stream_that_leaves_says_so_at_its_beginning(
    gateway: Gateway, cloud: OpenAIStub, path: str
) -> None:
    with client(gateway, "page") as page:
        answer = ask(page, path, "cloud", stream=True)
    assert (answer.status_code, answer.headers["x-synapse-outside"]) == (200, "true")


@pytest.mark.parametrize("path", STREAMED)
def test_a_stream_that_has_begun_says_in_a_comment_that_it_leaves(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub, path: str
) -> None:
    house.behaviours["gpu-out"] = Behaviour(hangs=True)
    with client(gateway, "page") as page:
        answer = ask(page, path, "gpu-out", stream=True)
    assert answer.status_code == 200
    assert "x-synapse-outside" not in answer.headers
    assert ': {"x-synapse-outside": "true"}' in answer.text
    assert "Hello" in answer.text
    assert len(cloud.received) == 1
    assert gateway.line_of(answer.headers["x-request-id"])["outside"] is True


def test_what_left_for_nothing_is_told_although_the_house_answers(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub
) -> None:
    cloud.behaviours["cloud-home"] = Behaviour(status=500)
    with client(gateway, "page") as page:
        answer = ask(page, "/v1/chat/completions", "cloud-home")
    assert (answer.status_code, answer.headers["x-synapse-model"]) == (200, "home")
    assert answer.headers["x-synapse-outside"] == "true"
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["served"], line["outside"], line["usd"]) == ("home", True, 0)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
def test_what_litellm_translates_for_a_model_in_the_house_stays(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub, path: str
) -> None:
    with client(gateway, "diary") as diary:
        answer = ask(diary, path, "home")
    assert answer.status_code == 200, answer.text
    assert "x-synapse-outside" not in answer.headers
    assert cloud.received == []
    assert gateway.line_of(answer.headers["x-request-id"])["outside"] is False


def test_the_operator_may_leave(gateway: Gateway, cloud: OpenAIStub) -> None:
    with client(gateway, "operator") as operator:
        answer = ask(operator, "/v1/chat/completions", "cloud")
    assert (answer.status_code, answer.headers["x-synapse-outside"]) == (200, "true")


@pytest.mark.parametrize("path", ["/v1/models", "/api/tags", "/v1/audio/models"])
def test_lists_show_what_is_outside_to_who_may_leave_and_to_nobody_else(
    gateway: Gateway, path: str
) -> None:
    listed = {}
    for app in ("diary", "page"):
        with client(gateway, app) as asking:
            told = asking.get(path).json()
        entries = told.get("data") or told["models"]
        listed[app] = {entry.get("id") or entry["name"] for entry in entries}
    names = {name.removesuffix(":latest") for name in listed["page"] - listed["diary"]}
    assert names
    assert names <= {"smart", "cloud", "cloud-plain", "cloud-home", "unpriced", "listed"} | {
        f"cloud-{name}" for name, _ in OTHERS.values()
    }
    assert not any("cloud" in name for name in listed["diary"])


@pytest.mark.parametrize("path", ["/v1/models/cloud", "/api/show"])
def test_one_outside_is_not_described_to_who_may_not_leave(gateway: Gateway, path: str) -> None:
    found = {}
    for app in ("diary", "page"):
        with client(gateway, app) as asking:
            shown = path == "/api/show"
            answer = asking.post(path, json={"model": "cloud"}) if shown else asking.get(path)
            found[app] = answer.status_code
    assert found == {"diary": 404, "page": 200}


def test_a_web_page_can_read_that_its_answer_left(another: object) -> None:
    gateway = another(cors_origins=["https://page.example"])  # type: ignore[operator]
    gateway.start()
    with client(gateway, "page") as page:
        answer = page.get("/v1/models", headers={"origin": "https://page.example"})
    assert "x-synapse-outside" in answer.headers["access-control-expose-headers"]


def test_an_events_stream_stays_readable(gateway: Gateway, cloud: OpenAIStub) -> None:
    with client(gateway, "page") as page:
        answer = ask(page, "/v1/chat/completions", "cloud", stream=True)
    assert events(answer.text)[-1] == "[DONE]"
