"""What a person does first: choose a model, ask, read, and find the chat again by its title."""

import json

import pytest

from gateway_process import until
from real_open_webui.page import Page, said
from real_open_webui.sites import Since, Site

from .conftest import PREFIX

APP, TASKS_APP = "open-webui", "open-webui-tasks"
TASK = "task.fast"
QUESTION = "What did the cat do?"
ITS_OWN_TOOLS = 1000
"""Tokens of its 36 tools, at the least."""


def test_the_menu_has_the_chat_names_alone_w4(page: Page, site: Site) -> None:
    shown = {name for name in page.menu() if not name.startswith(f"{PREFIX}.")}
    assert shown == {*site.catalogue.chats, TASK}
    kinds = {one["name"] for one in site.catalogue.models if one["kind"] != "chat"}
    behind = {one["model"] for one in site.catalogue.names}
    assert not shown & (kinds | behind)


def test_an_answer_streams_word_by_word(page: Page, site: Site, since: Since) -> None:
    answer = page.ask(site.catalogue.cpu, QUESTION, stream=True)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert len(said(answer).split()) >= 1
    assert answer.text.count('"content"') > 2
    (line,) = since.of(APP, "chat")
    assert (line["asked"], line["status"], line["stream"]) == (site.catalogue.cpu, 200, True)


def test_a_sentence_goes_out_without_its_36_tools_w1(page: Page, site: Site, since: Since) -> None:
    page.answered(page.send(site.catalogue.gpu, QUESTION))
    (line,) = since.of(APP, "chat")
    assert line["status"] == 200
    assert 0 < line["tokens_in"] < ITS_OWN_TOOLS


def test_title_tags_and_follow_ups_wake_no_model_of_the_gpu_w3(
    page: Page, site: Site, since: Since
) -> None:
    before = site.gpu()
    chat = page.send(site.catalogue.cpu, QUESTION)
    assert page.answered(chat)["content"]
    lines = since.of(TASKS_APP, "chat", 3)
    assert {line["asked"] for line in lines} == {"fast"}
    assert {line["status"] for line in lines} == {200}
    assert site.gpu() == before
    (asked,) = (line for line in since.lines() if line["app"] == APP and line["kind"] == "chat")
    assert asked["asked"] == site.catalogue.cpu


def test_a_question_to_the_gpu_brings_no_other_with_it_w3(
    page: Page, site: Site, since: Since
) -> None:
    chat = page.send(site.catalogue.gpu, QUESTION)
    assert page.answered(chat)["content"]
    assert len(since.of(TASKS_APP, "chat", 3)) == 3
    on_the_gpu = [line for line in since.lines() if line.get("engine") == "vllm"]
    assert len(on_the_gpu) == 1


def test_the_chat_has_its_title(page: Page, site: Site) -> None:
    chat = page.send(site.catalogue.cpu, QUESTION)
    page.answered(chat)

    def titled() -> bool:
        return str(page.chat(chat)["title"]) != "New Chat"

    until(titled, 30, lambda: json.dumps(page.chat(chat))[:500])


def test_who_leaves_in_the_middle_is_counted_as_far_as_it_went_w7(
    page: Page, site: Site, since: Since
) -> None:
    long = [{"role": "user", "content": "Tell me a very long story about a cat, in 500 words."}]
    asked = {"model": site.catalogue.cpu, "messages": long, "stream": True}
    with page.http.stream("POST", "/api/chat/completions", json=asked) as answer:
        words = (line for line in answer.iter_lines() if '"content"' in line)
        read = [next(words) for _ in range(10)]
    assert len(read) == 10
    (line,) = since.of(APP, "chat")
    assert line["status"] == 499
    assert line["tokens_out"] >= 5
    assert (line["served"], line["engine"]) == (_behind(site, site.catalogue.cpu), "ollama")


def test_a_fallback_answers_under_its_own_name_w8(page: Page, site: Site, since: Since) -> None:
    failing = site.catalogue.failing
    if failing is None:
        pytest.skip("no model of the demo that it may ask is away; ENGINES=simulated has one")
    answer = page.ask(failing, QUESTION)
    assert answer.status_code == 200, answer.text
    (line,) = since.of(APP, "chat")
    assert line["served"] != _behind(site, failing)
    assert line["fallback"] or line["attempts"]
    assert answer.json()["model"] == line["served"]


def _behind(site: Site, name: str) -> str:
    return next(str(one["model"]) for one in site.catalogue.names if one["name"] == name)
