"""Replacing an engine: by a command, through the Kubernetes API, or not at all."""

import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from synapse_arbiter.config import Recycle
from synapse_arbiter.engine import recycler
from synapse_arbiter.engine.recycler import (
    CommandRecycler,
    KubernetesRecycler,
    RecycleRefusedError,
    open_recycler,
)

POD = "vllm-{model}-0"


async def test_a_command_is_run_with_the_models_name(tmp_path: Path) -> None:
    path = tmp_path / "told"
    script = f"open({str(path)!r}, 'w').write('{{model}}')"
    await CommandRecycler((sys.executable, "-c", script), 20).recycle("coder")
    assert path.read_text() == "coder"


@pytest.mark.parametrize(
    ("command", "limit_s", "message"),
    [
        (("/nowhere/restart",), 5, "cannot be run: No such file or directory"),
        ((sys.executable, "-c", "raise SystemExit(3)"), 20, "ended with status 3"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), 0.1, "took longer than 0.1 s"),
    ],
    ids=["missing", "failing", "hanging"],
)
async def test_a_command_that_fails_says_how(
    command: tuple[str, ...], limit_s: float, message: str
) -> None:
    with pytest.raises(RecycleRefusedError, match=message):
        await CommandRecycler(command, limit_s).recycle("coder")


async def test_without_a_way_to_recycle_the_operator_is_told() -> None:
    async with aiohttp.ClientSession() as http:
        recycler = open_recycler(Recycle(how="none", pod=POD), 5, http)
        with pytest.raises(RecycleRefusedError, match="coder must be restarted by hand"):
            await recycler.recycle("coder")
        command = open_recycler(Recycle(how="command", command=("true",), pod=POD), 5, http)
        assert isinstance(command, CommandRecycler)
        kubernetes = open_recycler(Recycle(how="kubernetes", pod=POD), 5, http)
        assert isinstance(kubernetes, KubernetesRecycler)


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service account's folder, for an API server that speaks plain HTTP."""
    (tmp_path / "token").write_text("service-account\n")
    (tmp_path / "ca.crt").write_text("")
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: plain)
    return tmp_path


class Api:
    """An API server that remembers what it was asked and answers with one status."""

    def __init__(self) -> None:
        """Answer 200 until told otherwise."""
        self.asked: list[tuple[str, str, str | None]] = []
        self.status = 200

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer one call."""
        token = request.headers.get("authorization")
        self.asked.append((request.method, str(request.rel_url), token))
        return web.Response(status=self.status)


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """An API server on this machine."""
    server = Api()
    runner = web.ServerRunner(web.Server(server.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    monkeypatch.setattr(recycler, "API", f"http://127.0.0.1:{port}")
    yield server
    await runner.cleanup()


async def test_kubernetes_deletes_exactly_the_models_pod_by_name(api: Api, account: Path) -> None:
    async with aiohttp.ClientSession() as http:
        await KubernetesRecycler("llm-infra", POD, http, account).recycle("coder")
    pod = "/api/v1/namespaces/llm-infra/pods/vllm-coder-0?gracePeriodSeconds=10"
    assert api.asked == [("DELETE", pod, "Bearer service-account")]


@pytest.mark.parametrize("status", [202, 404], ids=["under-way", "gone-already"])
async def test_a_pod_that_goes_or_is_gone_is_recycled(api: Api, account: Path, status: int) -> None:
    api.status = status
    async with aiohttp.ClientSession() as http:
        await KubernetesRecycler("llm-infra", POD, http, account).recycle("coder")


async def test_kubernetes_that_refuses_says_so(api: Api, account: Path) -> None:
    api.status = 403
    async with aiohttp.ClientSession() as http:
        recycler = KubernetesRecycler("llm-infra", POD, http, account)
        with pytest.raises(RecycleRefusedError, match="403 to deleting the pod vllm-coder-0"):
            await recycler.recycle("coder")


async def test_kubernetes_that_is_away_says_so(
    monkeypatch: pytest.MonkeyPatch, account: Path
) -> None:
    monkeypatch.setattr(recycler, "API", "http://127.0.0.1:9")
    async with aiohttp.ClientSession() as http:
        replacing = KubernetesRecycler("llm-infra", POD, http, account)
        with pytest.raises(RecycleRefusedError, match="the Kubernetes API is away"):
            await replacing.recycle("coder")


async def test_without_a_service_account_nothing_is_deleted(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        recycler = KubernetesRecycler("llm-infra", POD, http, tmp_path)
        with pytest.raises(RecycleRefusedError, match="no service account"):
            await recycler.recycle("coder")
