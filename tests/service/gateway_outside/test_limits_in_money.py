"""What a month may cost is never passed: not at once, not after a restart, not after a kill."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from client_workers import Worker
from gateway_process import Gateway, until
from openai_stub import Behaviour, OpenAIStub

from .asking import CHATS, ask
from .conftest import TOKEN_USD, TOKENS, client

LIMIT_S = 10
CHAT = "/v1/chat/completions"
LIMIT_USD = 0.1
COST_USD = TOKENS * TOKEN_USD
FEW = {"max_tokens": 5}
"""About forty tokens are booked: two such requests fit into the limit, and after them some."""
Make = Callable[..., Gateway]


def spent_usd(gateway: Gateway, app: str) -> float:
    """Return what is written down of an application's money."""
    with sqlite3.connect(gateway.folder / "usage.sqlite") as file:
        (found,) = file.execute("SELECT sum(nano_usd) FROM used WHERE app = ?", (app,)).fetchone()
    return (found or 0) / 1e9


def until_spent(gateway: Gateway, app: str, usd: float) -> None:
    """Wait until so much is written down."""
    until(
        lambda: spent_usd(gateway, app) == pytest.approx(usd, abs=1e-9),
        LIMIT_S,
        lambda: f"{spent_usd(gateway, app)} of {usd}",
    )


def lines_of(gateway: Gateway, app: str) -> list[dict[str, Any]]:
    """Return what was logged of an application's requests."""
    return [line for line in list(gateway.lines) if line.get("app") == app]


def spend(gateway: Gateway, app: str, path: str = CHAT, model: str = "cloud") -> int:
    """Ask until the limit is in the way; return how many were answered."""
    answered = 0
    with client(gateway, app) as asking:
        while (answer := ask(asking, path, model, **FEW)).status_code == 200:
            answered += 1
            gateway.line_of(answer.headers["x-request-id"])  # now what was too much is given back
    assert answer.status_code == 429, answer.text
    gateway.line_of(answer.headers["x-request-id"])  # no line of it comes later
    return answered


def test_a_limit_ends_what_leaves_and_nothing_else(
    gateway: Gateway, house: OpenAIStub, cloud: OpenAIStub
) -> None:
    answered = spend(gateway, "saver")
    assert 1 <= answered <= LIMIT_USD // COST_USD
    until_spent(gateway, "saver", answered * COST_USD)
    house.behaviours["home-out"] = Behaviour(status=503)
    with client(gateway, "saver") as saver:
        assert ask(saver, CHAT, "home").status_code == 200
        # A fallback that cannot be paid is passed by.
        assert ask(saver, CHAT, "home-out", **FEW).status_code == 503
        # One in the house answers only in the place of what fails, not of what is too dear.
        assert ask(saver, CHAT, "cloud-home", **FEW).status_code == 429
    assert len(cloud.received) == answered
    with client(gateway, "page") as page:
        assert ask(page, CHAT, "cloud").status_code == 200


def test_the_packages_of_clients_understand_it_and_ask_once(
    gateway: Gateway, cloud: OpenAIStub, python: Worker
) -> None:
    spend(gateway, "client")
    before = len(lines_of(gateway, "client"))
    refused = python.call("openai_sdk.refused", model="cloud", max_tokens=5)
    assert (refused["name"], refused["status"]) == ("RateLimitError", 429)
    assert "a month" in refused["text"]
    assert "monthly_usd of the application 'client'" in refused["text"]
    refused = python.call("anthropic_sdk.refused", model="cloud", max_tokens=5)
    assert (refused["name"], refused["status"]) == ("RateLimitError", 429)
    assert refused["body"]["error"]["type"] == "rate_limit_error"
    assert "a month" in refused["body"]["error"]["message"]
    refused = python.call(
        "ollama_sdk.refused", call="chat", model="cloud", messages=[], options={"num_predict": 5}
    )
    assert "a month" in refused["text"]
    until(
        lambda: len(lines_of(gateway, "client")) >= before + 3,
        LIMIT_S,
        lambda: str(lines_of(gateway, "client")[before:]),
    )
    with client(gateway, "client") as asking:
        answer = ask(asking, CHAT, "cloud")
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["type"] == "insufficient_quota"
    gateway.line_of(answer.headers["x-request-id"])  # whatever was asked before has its line too
    lines = lines_of(gateway, "client")[before:]
    assert [line["error"] for line in lines] == ["insufficient_quota"] * 4


def test_a_limit_survives_the_gateways_end(
    another: Make, house: OpenAIStub, cloud: OpenAIStub
) -> None:
    gateway = another()
    gateway.start()
    answered = spend(gateway, "stopped")
    assert gateway.stop() == 0
    assert spent_usd(gateway, "stopped") == pytest.approx(answered * COST_USD)
    gateway.start()
    assert spend(gateway, "stopped") == 0
    assert len(cloud.received) == answered


def test_a_pod_and_the_one_that_replaces_it_share_a_limit(another: Make, cloud: OpenAIStub) -> None:
    old, new = another(), another()
    file = new.arguments.index("--usage") + 1
    new.arguments[file] = str(old.folder / "usage.sqlite")
    old.start()
    new.start()
    answered = 0
    with client(old, "replaced") as to_old, client(new, "replaced") as to_new:
        while ask(to_old, CHAT, "cloud", **FEW).status_code == 200:
            answered += 1
            answered += ask(to_new, CHAT, "cloud", **FEW).status_code == 200
        refused = ask(to_new, CHAT, "cloud", **FEW)
    assert refused.status_code == 429
    assert (len(cloud.received), answered * COST_USD <= LIMIT_USD) == (answered, True)
    for gateway in (old, new):
        gateway.stop()
    assert spent_usd(old, "replaced") == pytest.approx(answered * COST_USD)


def test_a_kill_forgets_nothing_that_was_booked(another: Make, cloud: OpenAIStub) -> None:
    cloud.behaviours["cloud"] = Behaviour(hangs=True)
    gateway = another()
    gateway.start()
    with ThreadPoolExecutor(1) as pool, client(gateway, "killed") as killed:
        asking = pool.submit(ask, killed, CHAT, "cloud", max_tokens=60)
        until(lambda: bool(cloud.received), LIMIT_S, lambda: "nothing arrived")
        assert gateway.process is not None
        gateway.process.kill()
        gateway.process.wait()
        assert isinstance(asking.exception(), httpx.HTTPError)
    booked_usd = spent_usd(gateway, "killed")
    assert booked_usd > 60 * TOKEN_USD
    cloud.reset()
    gateway.start()
    with client(gateway, "killed") as killed:
        assert ask(killed, CHAT, "cloud", max_tokens=60).status_code == 429
    assert cloud.received == []


def test_many_at_once_do_not_pass_the_limit(gateway: Gateway, cloud: OpenAIStub) -> None:
    cloud.behaviours["cloud"] = Behaviour(first_token_after_s=0.5)
    with ThreadPoolExecutor(20) as pool, client(gateway, "parallel") as asking:
        answers = list(pool.map(lambda _: ask(asking, CHAT, "cloud", **FEW), range(20)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    assert len(cloud.received) == statuses.count(200)
    until_spent(gateway, "parallel", statuses.count(200) * COST_USD)
    assert spent_usd(gateway, "parallel") <= LIMIT_USD


def test_a_stream_is_paid_as_far_as_it_went(gateway: Gateway, cloud: OpenAIStub) -> None:
    cloud.behaviours["cloud-plain"] = Behaviour(words=tuple("abcdef"), hangs_after_words=3)
    with client(gateway, "left") as left:
        told = {
            "model": "cloud-plain",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
        }
        with left.stream("POST", CHAT, json={**told, "max_tokens": 5}) as answer:
            heard = b""
            for piece in answer.iter_raw():
                heard += piece
                if b'"c"' in heard:
                    break
        line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["status"], line["tokens_out"]) == (499, 3)
    read_usd = line["usd"] - 3 * TOKEN_USD
    assert 0 < read_usd < 60 * TOKEN_USD
    until_spent(gateway, "left", line["usd"])


@pytest.mark.parametrize(
    ("app", "path", "few"),
    [
        ("unseen-chat", CHAT, {"max_tokens": 45}),
        ("unseen-responses", "/v1/responses", {"max_output_tokens": 45}),
    ],
)
def test_who_leaves_before_the_first_word_and_tries_again_does_not_pass_the_limit(
    gateway: Gateway, cloud: OpenAIStub, app: str, path: str, few: dict[str, int]
) -> None:
    cloud.behaviours["cloud-plain"] = Behaviour(hangs_after_words=0)
    told = {"model": "cloud-plain", **CHATS[path], **few, "stream": True}
    statuses: list[int] = []
    with client(gateway, app) as asking:
        while 429 not in statuses and len(statuses) < 5:
            with asking.stream("POST", path, json=told) as answer:
                statuses.append(answer.status_code)
                next(answer.iter_raw())
            line = gateway.line_of(answer.headers["x-request-id"])
            assert line["usd" if line["status"] == 499 else "error"]
    assert statuses[-1] == 429
    assert len(cloud.received) == len(statuses) - 1 > 0
    assert 45 * TOKEN_USD < spent_usd(gateway, app) <= LIMIT_USD


def test_what_was_refused_costs_nothing(gateway: Gateway, cloud: OpenAIStub) -> None:
    cloud.behaviours["cloud"] = Behaviour(status=400)
    with client(gateway, "broken") as asking:
        for _ in range(5):
            assert ask(asking, CHAT, "cloud", **FEW).status_code == 400
        cloud.behaviours["cloud"] = Behaviour(status=503)
        for _ in range(5):
            assert ask(asking, CHAT, "cloud", **FEW).status_code == 503
        cloud.behaviours.clear()
        assert ask(asking, CHAT, "cloud", **FEW).status_code == 200
    until_spent(gateway, "broken", COST_USD)


def test_speech_is_counted_by_its_characters(gateway: Gateway, cloud: OpenAIStub) -> None:
    answered = spend(gateway, "spoken", "/v1/audio/speech", "cloud-voice")
    assert answered == 1  # eight characters of a cent each
    until_spent(gateway, "spoken", 0.08)


def test_hearing_is_counted_by_its_seconds(gateway: Gateway, cloud: OpenAIStub) -> None:
    with client(gateway, "page") as page:
        answer = ask(page, "/v1/audio/transcriptions", "cloud-ears")
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (answer.status_code, line["usd"]) == (200, pytest.approx(line["audio_s"] or 0.016))
    with client(gateway, "heard") as heard:
        hour = {"file": ("a.wav", bytes(120_000))}
        refused = heard.post("/v1/audio/transcriptions", data={"model": "cloud-ears"}, files=hour)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "insufficient_quota")


def test_a_model_without_a_price_is_for_those_without_a_limit(
    gateway: Gateway, cloud: OpenAIStub
) -> None:
    with client(gateway, "saver") as saver:
        refused = ask(saver, CHAT, "unpriced")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "price_unknown")
    assert "monthly_usd of the application 'saver'" in refused.json()["error"]["message"]
    assert cloud.received == []
    with client(gateway, "page") as page:
        answer = ask(page, CHAT, "unpriced")
    assert answer.status_code == 200
    assert "usd" not in gateway.line_of(answer.headers["x-request-id"])
    told = [line["model"] for line in gateway.lines if line["event"] == "price_unknown"]
    assert told == ["unpriced"]


def test_litellms_list_tells_the_price_of_its_own_models(
    gateway: Gateway, cloud: OpenAIStub
) -> None:
    with client(gateway, "page") as page:
        answer = ask(page, CHAT, "listed")
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["tokens_in"], line["tokens_out"]) == (7, 4)
    assert line["usd"] == pytest.approx(7 * 0.15e-6 + 4 * 0.6e-6)


@pytest.mark.parametrize(
    ("path", "model", "usd"),
    [("/v1/embeddings", "cloud-embed", 0.005), ("/v1/rerank", "cloud-ranks", 0.002)],
)
def test_vectors_and_ranks_have_prices_too(
    gateway: Gateway, cloud: OpenAIStub, path: str, model: str, usd: float
) -> None:
    with client(gateway, "page") as page:
        answer = ask(page, path, model)
    assert gateway.line_of(answer.headers["x-request-id"])["usd"] == pytest.approx(usd)


def test_a_limit_of_all_together_counts_everybody(another: Make, cloud: OpenAIStub) -> None:
    gateway = another(monthly_usd=0.1)
    gateway.start()
    spend(gateway, "page")
    for app in ("operator", "saver"):
        with client(gateway, app) as asking:
            refused = ask(asking, CHAT, "cloud", **FEW)
        assert (refused.status_code, "gateway_monthly_usd" in refused.text) == (429, True)


def test_a_broken_file_stops_what_has_a_limit_and_nothing_else(
    another: Make, house: OpenAIStub, cloud: OpenAIStub
) -> None:
    gateway = another()
    (gateway.folder / "usage.sqlite").write_bytes(b"this is no database" * 100)
    gateway.start()
    with client(gateway, "page") as page:
        assert ask(page, CHAT, "home").status_code == 200
        assert ask(page, CHAT, "cloud").status_code == 200
    with client(gateway, "saver") as saver:
        refused = ask(saver, CHAT, "cloud", **FEW)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "usage_not_kept")
        answer = ask(saver, CHAT, "home")
    assert answer.status_code == 200
    gateway.line_of(answer.headers["x-request-id"])  # whatever was told before is read too
    assert gateway.metric("synapse_gateway_usage_kept") == 0
    told = [line for line in gateway.lines if line["event"] == "usage_not_kept"]
    assert len(told) == 1
    (gateway.folder / "usage.sqlite").unlink()
    with client(gateway, "saver") as saver:
        assert ask(saver, CHAT, "cloud", **FEW).status_code == 200
    assert gateway.metric("synapse_gateway_usage_kept") == 1


def test_a_limit_without_a_file_is_refused_at_the_start(another: Make) -> None:
    gateway = another()
    at = gateway.arguments.index("--usage")
    del gateway.arguments[at : at + 2]
    with pytest.raises(AssertionError, match="--usage"):
        gateway.start()
