"""What is refused is told in the gateway's own sentence, which a person understands."""

from real_open_webui.page import Page
from real_open_webui.sites import FEW, Since, Site

from .conftest import PREFIX

ALLOWED = f"{PREFIX}.fast"
MANY = "The limit of 1 requests per minute is used up."


def test_a_model_that_it_may_not_use_is_named_w10(page: Page, site: Site) -> None:
    name = site.catalogue.gpu
    answer = page.ask(f"{PREFIX}.{name}", "Hello")
    assert answer.status_code == 404
    sentence = f"The model '{name}' does not exist or you do not have access to it."
    assert answer.json()["error"]["message"] == sentence


def test_a_limit_says_when_to_try_again_w10(page: Page) -> None:
    answers = [page.ask(ALLOWED, "Hello") for _ in range(2)]
    last = answers[-1]
    assert last.status_code == 429
    assert last.json()["error"]["message"].startswith(MANY)
    assert "Try again in" in last.text


def test_the_sentence_stands_in_the_chat_w10(page: Page) -> None:
    page.ask(ALLOWED, "Hello")
    answer = page.answered(page.send(ALLOWED, "Hello"))
    assert MANY in str(answer["error"])


def test_a_prompt_that_is_too_long_is_told_with_numbers_w10(page: Page, site: Site) -> None:
    answer = page.ask(site.catalogue.gpu, "cat " * 20_000)
    assert answer.status_code == 400, answer.text
    assert "maximum context length is 8192 tokens" in answer.text


def test_a_trailing_slash_in_the_form_of_the_address_does_no_harm_w9(
    page: Page, site: Site, since: Since
) -> None:
    form = {"url": f"{site.url}/v1/", "key": site.key(FEW)}
    answer = page.http.post("/openai/verify", json=form)
    assert answer.status_code == 200, answer.text
    assert "fast" in {model["id"] for model in answer.json()["data"]}


def test_a_wrong_key_is_told_w10(page: Page, site: Site) -> None:
    form = {"url": f"{site.url}/v1", "key": "sk-wrong"}
    answer = page.http.post("/openai/verify", json=form)
    assert answer.status_code >= 400
    assert "key" in answer.text.lower()
