"""The operator's commands for the GPU, with a real arbiter at the other end."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml

from harness import Harness, running_arbiter
from synapse_cli import arbiter
from synapse_cli.cluster import Answer, Cluster, ClusterError
from synapse_cli.health import look
from synapse_cli.table import Row

TOKEN = "sesame"
Lead = Callable[[Harness], None]


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return str(path)


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Lead:
    """Leads the way to the arbiter's pod, the port-forward, to a house's operator port."""

    def to(home: Harness) -> None:
        place = ("127.0.0.1", home.arbiter.ports["operator"])
        monkeypatch.setattr(arbiter, "dial", lambda _: socket.create_connection(place))

    return to


class HomeCluster(Cluster):
    """A cluster with a gateway, an arbiter, and nothing that could be asked but those."""

    def __init__(self, url: str, models: list[str]) -> None:
        """Lead calls of the arbiter to this address."""
        self._url = url
        self._models = [{"name": name, "kind": "chat", "engine": "vllm"} for name in models]
        self.asked: list[tuple[str, str]] = []

    def workloads(self) -> list[Any]:
        """The gateway, the arbiter and the engines."""
        config = SimpleNamespace(name="config", config_map=SimpleNamespace(name="c"))
        engines = [(f"vllm-{one['name']}", "vllm") for one in self._models]
        return [
            SimpleNamespace(
                metadata=SimpleNamespace(name=name, labels={"app.kubernetes.io/name": kind}),
                spec=SimpleNamespace(
                    replicas=1,
                    template=SimpleNamespace(spec=SimpleNamespace(volumes=[config])),
                ),
                status=SimpleNamespace(ready_replicas=1),
            )
            for name, kind in [("arbiter", "arbiter"), ("gateway", "gateway"), *engines]
        ]

    def config_map(self, name: str) -> dict[str, str]:
        """The gateway's configuration."""
        return {"gateway.yaml": yaml.safe_dump({"models": self._models})}

    def get(self, service: str, port: int | str, path: str) -> Answer:
        """Ask the arbiter for real; whoever else is asked just answers."""
        self.asked.append((service, path))
        if service != "arbiter":
            return Answer(200, b"{}", 0.001)
        answer = httpx.get(self._url + path)
        return Answer(answer.status_code, answer.content, 0.001)


async def table(cluster: HomeCluster) -> dict[tuple[str, str], Row]:
    """The rows, by service and model."""
    rows = await asyncio.to_thread(lambda: list(look(cluster, None)))
    return {(row.service, row.model): row for row in rows}


def counted(home: Harness) -> dict[str, dict[str, int]]:
    """What the engines were made to do."""
    return {
        name: {what: simulator.counters[what] for what in ("requests", "sleeps", "wakes")}
        for name, simulator in home.simulators.items()
    }


async def test_the_health_table_shows_the_gpu_and_wakes_nothing(lead: Lead) -> None:
    async with running_arbiter("a", "b", awake="a", hosts=["arbiter"]) as home:
        lead(home)
        await home.ask("a")
        cluster = HomeCluster(home.url, ["a", "b"])
        before = counted(home)
        rows = await table(cluster)
        assert rows[("vllm", "a")].state == "awake"
        assert rows[("vllm", "b")].state == "asleep"
        assert "GiB" in rows[("gpu", "")].state
        assert ("vllm-a", "") not in rows
        assert set(cluster.asked) == {
            ("arbiter", "/readyz"), ("gateway", "/health/ready")
        }  # fmt: skip
        assert counted(home) == before


async def test_the_health_table_shows_a_release_of_the_gpu(token_file: str, lead: Lead) -> None:
    settings: dict[str, Any] = {"admin_token_file": token_file, "hosts": ["arbiter"]}
    async with running_arbiter("a", awake="a", **settings) as home:
        lead(home)
        await home.order("release?seconds=60")
        await home.until(lambda: home.resident is None, "the GPU to be empty")
        rows = await table(HomeCluster(home.url, ["a"]))
        assert "released until" in rows[("gpu", "")].state
        assert rows[("vllm", "a")].healthy


async def test_an_arbiter_without_a_pod_leaves_the_rest_of_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dial(_: Cluster) -> socket.socket:
        raise ClusterError("The arbiter does not run just now; make test-health shows its state.")

    monkeypatch.setattr(arbiter, "dial", dial)
    async with running_arbiter("a") as home:
        rows = await table(HomeCluster(home.url, ["a"]))
    assert rows[("vllm", "a")].state == "unknown, the arbiter does not answer"
    assert not rows[("vllm", "a")].healthy


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch, lead: Lead) -> Callable[[Harness, str], Cluster]:
    """Makes the way to a house's arbiter, and a Secret with this token."""

    def make(home: Harness, token: str) -> Cluster:
        lead(home)
        monkeypatch.setattr(arbiter, "read_token", lambda _: token)
        return Cluster.__new__(Cluster)

    return make


async def test_the_gpu_is_lent_out_and_taken_back(
    token_file: str, way: Callable[[Harness, str], Cluster]
) -> None:
    async with running_arbiter(
        "a", awake="a", admin_token_file=token_file, hosts=["arbiter"]
    ) as home:
        cluster = way(home, TOKEN)
        told = await asyncio.to_thread(arbiter.release, cluster, 0.5)
        assert told == "The GPU is released for 1800 s."
        await home.until(lambda: home.resident is None, "the GPU to be empty")
        assert await asyncio.to_thread(arbiter.reclaim, cluster) == "The GPU serves again."
        assert (await home.ask("a")).status == 200


async def test_what_the_arbiter_refuses_is_told_in_its_own_words(
    token_file: str, way: Callable[[Harness, str], Cluster]
) -> None:
    async with running_arbiter(
        "a", awake="a", admin_token_file=token_file, hosts=["arbiter"]
    ) as home:
        with pytest.raises(ClusterError, match="refused: This call needs the operator's token"):
            await asyncio.to_thread(arbiter.reclaim, way(home, "guess"))


async def test_an_arbiter_that_goes_away_meanwhile_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dial(_: Cluster) -> socket.socket:
        near, far = socket.socketpair()
        far.close()
        return near

    monkeypatch.setattr(arbiter, "dial", dial)
    monkeypatch.setattr(arbiter, "read_token", lambda _: TOKEN)
    with pytest.raises(ClusterError, match="The arbiter did not answer"):
        arbiter.reclaim(Cluster.__new__(Cluster))
