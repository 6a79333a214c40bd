"""The table of keys: from the Secret, the gateway's configuration, and what the gateway tells."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import httpx
import pytest
import yaml
from rich.console import Console

from synapse_cli import app_keys, keys
from synapse_cli.cluster import Cluster, ClusterError
from tests.unit.cli.test_keys import cluster_with, two_apps

TODAY = date(2026, 12, 1)
LIMITED = {
    "requests_per_minute": 60,
    "tokens_per_minute": 10000,
    "parallel_requests": 4,
    "monthly_usd": 2.5,
}
JARVIS = {"app": "jarvis", "last_used": "2026-12-01T07:05:09Z"}
APPS = [
    {"name": "jarvis", "models": ["*"], "key_until": "2027-01-31", **LIMITED},
    {"name": "agents", "models": ["*"], "key_until": "2026-11-30"},
]
USED = {
    "day": "2026-12-01",
    "apps": [
        {**JARVIS, "requests_today": 12, "people_today": 2},
        {"app": "agents", "last_used": None, "requests_today": 0, "people_today": 0},
    ],
}
PEOPLE = [
    {"person": None, "requests": 1, "tokens_in": 2, "tokens_out": 3, "usd": 0.0},
    {"person": "0123456789abcdef", "requests": 9, "tokens_in": 20, "tokens_out": 30, "usd": 1.234},
]


def cluster() -> Cluster:
    """A cluster with two applications, of one of which is known when its key was made."""
    made = cluster_with(two_apps())
    keys.write(made, "gateway-app-keys", {"jarvis": "sk-n"}, made="2026-11-01T12:00:00Z")
    config = SimpleNamespace(name="config", config_map=SimpleNamespace(name="gateway-config-1"))
    gateway = SimpleNamespace(
        metadata=SimpleNamespace(name="gateway"),
        spec=SimpleNamespace(template=SimpleNamespace(spec=SimpleNamespace(volumes=[config]))),
    )
    made.workloads = lambda: [gateway]  # type: ignore[method-assign]
    written = {"gateway.yaml": yaml.safe_dump({"models": [], "apps": APPS})}
    made.config_map = lambda _: written  # type: ignore[method-assign, assignment]
    return made


def gateway(answer: httpx.Response | None) -> httpx.Client:
    """The gateway, which answers so; None: it is away."""

    def handle(request: httpx.Request) -> httpx.Response:
        if answer is None:
            raise httpx.ConnectError("refused")
        return answer

    return httpx.Client(base_url="http://forge:8000", transport=httpx.MockTransport(handle))


def shown(answer: httpx.Response | None) -> list[list[str]]:
    """The words of each line of the table."""
    console = Console(record=True, width=200)
    assert app_keys.show(cluster(), gateway(answer), console, TODAY) == 0
    return [line.split() for line in console.export_text().splitlines()]


def test_all_of_it_is_in_the_table() -> None:
    above, head, agents, jarvis, times = shown(httpx.Response(200, json=USED))
    assert above == ["Requests", "People"]
    assert " ".join(head) == "Application Made Last used Ends Limits today today"
    assert " ".join(agents) == "agents unknown never ended 2026-11-30 0"
    assert " ".join(jarvis) == (
        "jarvis 2026-11-01 2026-12-01 07:05 2027-01-31 "
        "60/min, 10000 tokens/min, 4 at once, 2.5 USD/month 12 2"
    )
    assert " ".join(times) == "Days and times are UTC."


def test_what_is_usual_fits_a_screen_of_100_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {"requests_per_minute": 6000, "parallel_requests": 16, "key_until": "2027-01-31"}
    names = ("jarvis-cortex-01", "open-webui-tasks")
    apps = [{"name": name, "models": ["*"], **usual} for name in names]
    told = {"last_used": "2026-12-01T07:05:09Z", "requests_today": 123456, "people_today": 12}
    there = cluster()
    written = {"gateway.yaml": yaml.safe_dump({"models": [], "apps": apps})}
    there.config_map = lambda _: written  # type: ignore[method-assign, assignment]
    made = dict.fromkeys(names, "2026-11-01T12:00:00Z")
    monkeypatch.setattr(app_keys, "read_made", lambda _: made)
    console = Console(record=True, width=100)
    used = httpx.Response(200, json={"apps": [{"app": name, **told} for name in names]})
    assert app_keys.show(there, gateway(used), console, TODAY) == 0
    lines = console.export_text().splitlines()
    assert len(lines) == 2 + len(names) + 1
    assert [line.split()[0] for line in lines[2:4]] == list(names)


def test_a_large_limit_is_written_as_it_is() -> None:
    assert app_keys.limits({"tokens_per_minute": 2_000_000.0}) == "2000000 tokens/min"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "The gateway does not answer (ConnectError)"),
        (httpx.Response(503), "The gateway answers 503"),
        (
            httpx.Response(503, headers={"Content-Type": "text/plain"}, content="No way.\n"),
            "No way",
        ),
    ],
)
def test_a_gateway_that_is_away_costs_its_columns_and_a_sentence(
    answer: httpx.Response | None, why: str
) -> None:
    said, head, *rows, _ = shown(answer)
    assert " ".join(said) == f"{why}, so nobody knows what was used."
    assert " ".join(head) == "Application Made Ends Limits"
    assert [row[0] for row in rows] == ["agents", "jarvis"]


def test_the_people_of_one_application_the_busiest_first() -> None:
    console = Console(record=True, width=200)
    answer = httpx.Response(200, json={"app": "jarvis", "people": PEOPLE})
    assert app_keys.show_people(cluster(), gateway(answer), "jarvis", console) == 0
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert lines[1:] == ["0123456789abcdef 9 20 30 1.23", "unknown 1 2 3 0.00"]


def test_an_application_without_people_and_one_that_is_not_there_say_so() -> None:
    console = Console(record=True, width=200)
    answer = httpx.Response(200, json={"app": "jarvis", "people": PEOPLE[:1]})
    assert app_keys.show_people(cluster(), gateway(answer), "jarvis", console) == 0
    assert "person_from" in console.export_text()
    with pytest.raises(ClusterError, match=r"no application jarvi .*agents, jarvis"):
        app_keys.show_people(cluster(), gateway(answer), "jarvi", console)
    assert app_keys.show_people(cluster(), gateway(None), "jarvis", console) == 1
