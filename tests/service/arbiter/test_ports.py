"""Four audiences, four ports: what each reaches, whom each refuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from harness import Answer, Harness, running_arbiter

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN, SECRET = "sesame", "starter"
WHO = {"model": "a", "instance": "x"}
PATHS = {
    "inference": [
        *("GET /v1/models", "GET /v1/models/a", "GET /healthz", "GET /readyz"),
        *("POST /v1/chat/completions", "POST /v1/embeddings"),
    ],
    "boot": ["POST /boot/wait", "POST /boot/hold", "POST /boot/end"],
    "metrics": ["GET /metrics"],
    "operator": [
        *("GET /", "GET /status", "GET /status/stream", "POST /admin/unpin", "POST /admin/pin/a"),
        *("POST /admin/release", "POST /admin/reclaim", "POST /admin/recycle/a"),
    ],
}
ELSEWHERE = [
    (audience, path)
    for audience in PATHS
    for owner, paths in PATHS.items()
    if owner != audience
    for path in paths
]
EVIL = "http://evil.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    folder = tmp_path_factory.mktemp("ports")
    files = {"admin_token_file": TOKEN, "boot_secret_file": SECRET}
    settings: dict[str, Any] = {"hosts": ["arbiter"]}
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")
        settings[name] = str(folder / name)
    async with running_arbiter("a", "b", awake="a", **settings) as made:
        yield made


async def ask(home: Harness, audience: str, path: str, **headers: str) -> Answer:
    """Ask with every secret there is, as somebody would who had got hold of them."""
    method, _, where = path.partition(" ")
    secret = SECRET if audience == "boot" else TOKEN
    told = {"authorization": f"Bearer {secret}"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    body = WHO if method == "POST" else None
    url = home.at(audience) + where
    async with home.client.request(method, url, json=body, headers=told) as answer:
        return Answer(answer.status, answer.headers, await answer.read())


@pytest.mark.parametrize(("audience", "path"), ELSEWHERE)
async def test_no_port_serves_what_is_another_audiences(
    home: Harness, audience: str, path: str
) -> None:
    answer = await ask(home, audience, path)
    assert (answer.status, answer.code) == (404, "path_not_found")


async def test_every_port_serves_its_own(home: Harness) -> None:
    for audience, path in (
        ("inference", "GET /v1/models"),
        ("boot", "POST /boot/end"),
        ("metrics", "GET /metrics"),
        ("operator", "GET /status"),
        ("operator", "POST /admin/unpin"),
    ):
        assert (await ask(home, audience, path)).status == 200, path


@pytest.mark.parametrize("given", ["", "guess", SECRET, f"Basic {SECRET}", f"Bearer {TOKEN}"])
async def test_a_boot_without_the_wrappers_secret_moves_nothing(home: Harness, given: str) -> None:
    for call in ("wait", "hold", "end"):
        refused = await ask(home, "boot", f"POST /boot/{call}", authorization=given)
        assert (refused.status, refused.code) == (401, "unauthorized")
    assert home.condition("a") == "awake"
    assert home.arbiter.scheduler.state.boots == {}


async def test_a_token_without_its_scheme_is_refused(home: Harness) -> None:
    refused = await ask(home, "operator", "POST /admin/unpin", authorization=TOKEN)
    assert (refused.status, refused.code) == (401, "unauthorized")


async def test_without_a_secret_file_no_engine_may_ask() -> None:
    async with running_arbiter("a", awake="a") as open_home:
        refused = await ask(open_home, "boot", "POST /boot/wait")
        assert (refused.status, refused.code) == (403, "forbidden")
        assert "boot_secret_file" in refused.json["error"]["message"]


async def test_a_new_secret_holds_at_once(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    async with running_arbiter("a", awake="a", boot_secret_file=str(file)) as home:
        assert (await ask(home, "boot", "POST /boot/end")).status == 401
        file.write_text(SECRET)
        assert (await ask(home, "boot", "POST /boot/end")).status == 200


@pytest.mark.parametrize("path", ["boot POST /boot/end", "operator GET /status", "operator GET /"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("arbiter", 200),
        ("Arbiter:8081", 200),
        ("127.0.0.1:8080", 200),
        ("localhost:9", 200),
        ("[::1]:8080", 200),
        ("10.42.0.9:8081", 200),
        ("evil.example", 403),
        ("evil.example:8080", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("user@127.0.0.1", 403),
        ("127.0.0.1/", 403),
        ("", 403),
    ],
)
async def test_only_our_own_names_are_answered(
    home: Harness, path: str, host: str, status: int
) -> None:
    audience, _, rest = path.partition(" ")
    assert (await ask(home, audience, rest, host=host)).status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": EVIL, "content_type": "text/plain"},
    ],
)
async def test_a_page_of_another_site_is_refused(home: Harness, headers: dict[str, str]) -> None:
    for audience, path in (
        ("boot", "POST /boot/wait"),
        ("operator", "POST /admin/pin/b"),
        ("operator", "GET /status"),
        ("operator", "GET /status/stream"),
    ):
        refused = await ask(home, audience, path, **headers)
        assert (refused.status, refused.code) == (403, "forbidden"), path
    assert home.resident == "a"


async def test_our_own_page_and_a_link_to_it_are_served(home: Harness) -> None:
    own = {"origin": home.at("operator"), "sec_fetch_site": "same-origin"}
    assert (await ask(home, "operator", "POST /admin/unpin", **own)).status == 200
    typed = {"sec_fetch_site": "none", "sec_fetch_mode": "navigate"}
    assert (await ask(home, "operator", "GET /", **typed)).status == 200
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert (await ask(home, "operator", "GET /", **link)).status == 200
    assert (await ask(home, "operator", "POST /admin/unpin", **link)).status == 403


async def test_not_even_our_own_page_may_ask_for_a_boot(home: Harness) -> None:
    own = {"origin": home.at("boot"), "sec_fetch_site": "same-origin"}
    assert (await ask(home, "boot", "POST /boot/end", **own)).code == "forbidden"


async def scrape(home: Harness) -> dict[str, set[str]]:
    """Read the metrics strictly; return whose series there are, by the name of the metric."""
    text = (await ask(home, "metrics", "GET /metrics")).body.decode()
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "each metric is described once"
    return {
        family.name: {sample.labels.get("model", "") for sample in family.samples}
        for family in families
    }


async def test_the_engines_metrics_are_told_apart() -> None:
    async with running_arbiter("a", "b", awake="a", limits={"watch_s": 3600}) as home:
        await home.arbiter.watch.look()
        shown = await scrape(home)
        assert shown["vllm:num_requests_running"] == {"a", "b"}
        assert shown["process_start_time_seconds"] == {"a", "b"}
        assert "synapse_arbiter_resident" in shown


async def test_no_engine_is_asked_for_a_reader_and_a_silent_one_shows_nothing() -> None:
    async with running_arbiter("a", "b", awake="a", limits={"watch_s": 3600}) as home:
        await home.arbiter.watch.look()
        home.simulators["b"].faults.switch_on({"metrics_away": {}})
        assert (await scrape(home))["vllm:num_requests_running"] == {"a", "b"}
        await home.arbiter.watch.look()
        assert (await scrape(home))["vllm:num_requests_running"] == {"a"}


async def test_an_engine_that_is_gone_shows_nothing() -> None:
    async with running_arbiter("a", "b", awake="a") as home:
        home.simulators["b"].faults.switch_on({"dead": {"exits_after_s": 0.0}})
        await home.until(lambda: home.condition("b") == "away", "the death to be seen")
        assert (await scrape(home))["vllm:num_requests_running"] == {"a"}
