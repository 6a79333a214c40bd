"""The status page in a real browser."""

from functools import partial

import pytest

from status_source import SCENES, TOKEN

from .browser import Browser
from .stages import Stage, run_stage


def test_it_shows_who_holds_the_gpu_who_sleeps_and_who_waits(
    browser: Browser, stage: Stage
) -> None:
    browser.open(stage.address)
    assert browser.text("#headline") == "qwen3-coder-30b holds the GPU"
    assert "3 of 16 running" in browser.text("#subline")
    assert browser.texts(".model .badge") == ["awake", "asleep", "asleep"]
    assert browser.texts(".model .line")[1] == "7 waiting (2 batch)"
    assert browser.texts(".model .oldest")[1].startswith("oldest ")
    assert len(browser.texts('.model:nth-child(2) .pips [data-is="waiting"]')) == 5


def test_it_shows_the_memory_in_proportion(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    assert browser.text("#memory-sum") == "27.4 GiB of 32.0 GiB used, 4.6 GiB free"
    widths = browser.run(
        "const bar = document.querySelector('#memory-bar');"
        "return [...bar.children].map((part) => part.offsetWidth / bar.offsetWidth)"
    )
    assert widths[0] == pytest.approx(24.5 / 32, abs=0.02)
    assert sum(widths) == pytest.approx(27.4 / 32, abs=0.02)


def test_it_changes_without_a_reload(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    browser.run("window.sameDocument = true")
    for scene, headline in (
        ("switching", "Switching to gemma-4-26b"),
        ("draining", "qwen3-coder-30b is finishing"),
        ("released", "The GPU is released"),
        ("idle", "The GPU is free"),
    ):
        stage.show(scene)
        browser.until(partial(browser.shows, "#headline", headline))
    assert browser.run("return window.sameDocument") is True
    assert browser.run("return document.title") == "The GPU is free · Synapse"


def test_clocks_run_between_the_events(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    before = browser.text("#subline")
    browser.until(lambda: browser.text("#subline") != before)


def test_the_timeline_shows_the_hour_and_its_parts(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    assert len(browser.texts(".lane svg .span.resident")) > 30
    assert len(browser.texts(".span.trouble")) == 1
    title = browser.run("return document.querySelector('.span.trouble title').textContent")
    assert title.startswith("Replacing gpt-oss-20b: ")
    assert title.endswith("its memory grew by 2.4 GiB over 31 sleeps")
    browser.click("#range button:first-child")
    assert len(browser.texts(".lane svg .span.resident")) < 10
    assert browser.find("#range button:first-child").get_attribute("aria-pressed") == "true"
    label = browser.find(".lane svg").get_attribute("aria-label")
    assert label is not None
    assert label.startswith("qwen3-coder-30b held the GPU for ")
    assert label.endswith("of the last 5 minutes")


def test_decisions_come_with_their_reasons(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    first = browser.texts("#decisions li")[0]
    assert first.endswith("qwen3-coder-30b comes in: it has waited longest, past the deadline.")


@pytest.mark.parametrize(
    ("selector", "path"),
    [
        ('[data-action="pin"][data-model="gemma-4-26b"]', "/admin/pin/gemma-4-26b"),
        ('[data-action="recycle"][data-model="gpt-oss-20b"]', "/admin/recycle/gpt-oss-20b"),
        ('[data-action="release"]', "/admin/release?seconds=900"),
    ],
    ids=["pin", "recycle", "release"],
)
def test_a_button_needs_the_token_and_then_acts(
    browser: Browser, stage: Stage, selector: str, path: str
) -> None:
    browser.open(stage.address)
    browser.click(selector)
    browser.order("guessed")
    browser.until(lambda: browser.text("#toast") == "That is not the admin token.")
    assert stage.source.pressed == []
    browser.click(selector)
    browser.order(TOKEN)
    browser.until(lambda: browser.text("#toast").startswith("Done: "))
    assert stage.source.pressed == [path]


def test_buttons_follow_the_state(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    stage.show("trouble")
    browser.click('.model [data-action="unpin"]')
    browser.order(TOKEN)
    browser.until(lambda: stage.source.pressed == ["/admin/unpin"])
    stage.show("released")
    browser.click('[data-action="reclaim"]')
    browser.order(None)
    browser.until(lambda: stage.source.pressed == ["/admin/unpin", "/admin/reclaim"])


def test_the_token_stays_in_this_tab_and_out_of_the_page(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    browser.click('[data-action="release"]')
    browser.order(TOKEN)
    browser.until(lambda: stage.source.pressed)
    browser.until(lambda: browser.run("return Object.values(sessionStorage)") == [TOKEN])
    assert browser.run("return Object.keys(localStorage).length + document.cookie.length") == 0
    assert TOKEN not in browser.run("return document.documentElement.outerHTML")
    assert browser.run("return document.querySelector('#ask-token').value") == ""


def test_a_token_that_no_longer_holds_is_forgotten(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    browser.run("sessionStorage.setItem('synapse-admin-token', 'rotated')")
    browser.click('[data-action="release"]')
    browser.order(None)
    browser.until(lambda: browser.text("#toast") == "That is not the admin token.")
    browser.click('[data-action="release"]')
    browser.order(TOKEN)
    browser.until(lambda: stage.source.pressed == ["/admin/release?seconds=900"])


def test_cancelling_does_nothing(browser: Browser, stage: Stage) -> None:
    browser.open(stage.address)
    browser.click('[data-action="release"]')
    browser.click('#ask button[value="cancel"]')
    browser.until(lambda: not browser.find("#ask").is_displayed())
    assert stage.source.pressed == []


def test_without_a_configured_token_the_buttons_are_off(browser: Browser, stage: Stage) -> None:
    stage.show("idle")
    browser.open(stage.address)
    browser.until(lambda: not browser.find('[data-action="release"]').is_enabled())
    assert browser.text("#footnote") == "The buttons are off: the arbiter has no admin token."


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_sticks_out_at_any_width(browser: Browser, stage: Stage, scene: str) -> None:
    stage.show(scene)
    browser.open(stage.address)
    for width in (320, 390, 820, 920, 1280):
        browser.resize(width, 800)
        assert browser.run("return document.documentElement.scrollWidth") <= width, width


@pytest.mark.parametrize("scene", SCENES)
def test_it_loads_nothing_from_elsewhere_and_has_no_complaints(
    browser: Browser, stage: Stage, scene: str
) -> None:
    stage.show(scene)
    browser.open(stage.address)
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked == [f"{stage.address}/", f"{stage.address}/status/stream"]
    assert browser.complaints() == []


def test_text_from_outside_is_never_markup(browser: Browser, stage: Stage) -> None:
    stage.show("hostile")
    browser.open(stage.address)
    browser.until(lambda: browser.texts(".model-reason")[2].startswith("<img src=x"))
    assert browser.run("return document.querySelectorAll('main img, main script').length") == 0


def test_a_lost_connection_is_said_and_heals(browser: Browser, stage: Stage) -> None:
    with run_stage() as lost:
        browser.open(lost.address)
    browser.until(lambda: browser.text("#connection").startswith("retrying in "))
    assert browser.text("#outage").startswith("No connection to the arbiter. What you see is from")
    assert not browser.find('[data-action="release"]').is_enabled()
    assert browser.run("return document.title") == "offline · Synapse"
    with run_stage(int(lost.address.rpartition(":")[2])):
        browser.until(lambda: browser.text("#connection") == "live")
        assert not browser.find("#outage").is_displayed()


CONTRAST = """
const channel = (x) => (x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
const light = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
};
const behind = (node) => {
  const colour = getComputedStyle(node).backgroundColor;
  return colour === 'rgba(0, 0, 0, 0)' ? behind(node.parentElement) : colour;
};
return [...document.querySelectorAll('h1, h2, h3, p, li > span, .badge, time, button:enabled')]
  .filter((node) => node.checkVisibility() && node.textContent.trim())
  .map((node) => {
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.className || node.id];
  })
  .filter(([ratio]) => ratio < 4.5);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scene", ["busy", "trouble"])
def test_all_text_can_be_read(browser: Browser, stage: Stage, scheme: str, scene: str) -> None:
    stage.show(scene)
    browser.open(stage.address, scheme=scheme)
    assert browser.run(CONTRAST) == []


def test_light_and_dark_differ(browser: Browser, stage: Stage) -> None:
    found = []
    for scheme in ("light", "dark"):
        browser.open(stage.address, scheme=scheme)
        found.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert found[0] != found[1]
