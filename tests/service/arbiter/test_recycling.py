"""Replacing an engine: by a command, through the Kubernetes API, or not at all."""

import ssl
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from synapse_arbiter import recycling
from synapse_arbiter.recycling import (
    CommandRecycler,
    KubernetesRecycler,
    RecycleRefusedError,
    open_recycler,
)
from synapse_arbiter.settings import Recycle


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
        recycler = open_recycler(Recycle("none", (), "llm-infra", "name"), 5, http)
        with pytest.raises(RecycleRefusedError, match="coder must be restarted by hand"):
            await recycler.recycle("coder")
        command = open_recycler(Recycle("command", ("true",), "llm-infra", "name"), 5, http)
        assert isinstance(command, CommandRecycler)
        kubernetes = open_recycler(Recycle("kubernetes", (), "llm-infra", "name"), 5, http)
        assert isinstance(kubernetes, KubernetesRecycler)


async def test_kubernetes_deletes_the_pods_that_carry_the_models_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, str, str | None]] = []
    status = 200

    async def api(request: web.BaseRequest) -> web.Response:
        selector = request.query["labelSelector"]
        token = request.headers.get("authorization")
        asked.append((request.method, request.path, selector, token))
        return web.Response(status=status)

    (tmp_path / "token").write_text("service-account\n")
    (tmp_path / "ca.crt").write_text("")
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: True)
    runner = web.ServerRunner(web.Server(api))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    monkeypatch.setattr(recycling, "API", f"http://127.0.0.1:{port}")
    async with aiohttp.ClientSession() as http:
        recycler = KubernetesRecycler("llm-infra", "app.kubernetes.io/instance", http, tmp_path)
        await recycler.recycle("coder")
        assert asked == [
            (
                "DELETE",
                "/api/v1/namespaces/llm-infra/pods",
                "app.kubernetes.io/instance=coder",
                "Bearer service-account",
            )
        ]
        status = 403
        with pytest.raises(RecycleRefusedError, match="answered 403 to deleting coder's pod"):
            await recycler.recycle("coder")
        await runner.cleanup()
        with pytest.raises(RecycleRefusedError, match="the Kubernetes API is away"):
            await recycler.recycle("coder")
        (tmp_path / "token").unlink()
        with pytest.raises(RecycleRefusedError, match="no service account"):
            await recycler.recycle("coder")
