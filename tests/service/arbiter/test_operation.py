"""The operator's side over HTTP: commands, probes, metrics, the page, starting and stopping."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness import running_arbiter
from vllm_simulator import GIB
from vllm_simulator.gpu import used_bytes

TOKEN = "sesame"


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return str(path)


async def test_orders_need_the_token(token_file: str) -> None:
    async with running_arbiter("a", awake="a", admin_token_file=token_file) as home:
        for path in ("pin/a", "unpin", "release?seconds=9", "reclaim", "recycle/a"):
            refused = await home.order(path, token="guess")
            assert refused.status == 401
            assert refused.code == "unauthorized"
        assert home.condition("a") == "awake"


async def test_without_a_token_file_orders_are_off() -> None:
    async with running_arbiter("a", awake="a") as home:
        assert (await home.order("pin/a")).code == "forbidden"


async def test_an_unreadable_or_empty_token_file_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "token"
    async with running_arbiter("a", awake="a", admin_token_file=str(path)) as home:
        assert (await home.order("pin/a")).code == "forbidden"
        path.write_text("")
        assert (await home.order("pin/a", token="")).code == "unauthorized"


async def test_a_pin_holds_the_gpu_and_an_unpin_frees_it(token_file: str) -> None:
    async with running_arbiter("a", "b", awake="a", admin_token_file=token_file) as home:
        assert (await home.order("pin/b")).json == {
            "message": "b is pinned; the other models fall back."
        }
        await home.until(lambda: home.resident == "b", "b to come in")
        assert (await home.ask("a")).code == "gpu_pinned"
        await home.order("unpin")
        assert (await home.ask("a")).status == 200


async def test_a_released_gpu_is_empty_until_its_lease_ends(token_file: str) -> None:
    async with running_arbiter("a", awake="a", admin_token_file=token_file) as home:
        assert (await home.order("release?seconds=0.3")).status == 200
        await home.until(lambda: home.resident is None, "the GPU to be empty")
        refused = await home.ask("a")
        assert refused.code == "gpu_released"
        assert int(refused.headers["retry-after"]) >= 1
        await home.until(lambda: not home.arbiter.scheduler.state.gpu.released, "the lease's end")
        assert (await home.ask("a")).status == 200


@pytest.mark.parametrize("seconds", ["", "soon", "0", "-3", "nan", "9999999"])
async def test_a_lease_without_a_sensible_length_is_refused(token_file: str, seconds: str) -> None:
    async with running_arbiter("a", awake="a", admin_token_file=token_file) as home:
        refused = await home.order(f"release?seconds={seconds}")
        assert refused.code == "invalid_request"
        assert (await home.order("reclaim")).status == 200


async def test_the_status_says_who_holds_the_gpu_and_what_happened(token_file: str) -> None:
    async with running_arbiter("a", "b", awake="a", admin_token_file=token_file) as home:
        await home.ask("b")
        async with home.client.get(f"{home.at('operator')}/status") as answer:
            status = await answer.json()
        assert status["phase"] == "ready"
        assert status["gpu"]["resident"] == "b"
        assert status["actions_enabled"] is True
        assert status["switches"] == 1
        assert [span["kind"] for span in status["timeline"]] == [
            "reconcile",
            "resident",
            "switch",
            "resident",
        ]
        a, b = status["models"]
        assert (a["state"], b["state"]) == ("asleep", "awake")
        assert b["answered"] == 1
        assert status["decisions"][0]["text"]


async def test_the_memory_shown_is_that_after_the_last_transition() -> None:
    async with running_arbiter("a", "b", awake="a", limits={"watch_s": 3600}) as home:
        for model in ("b", "a"):
            await home.ask(model)
            async with home.client.get(f"{home.at('operator')}/status") as answer:
                shown = (await answer.json())["gpu"]["used_bytes"]
            assert shown == used_bytes(home.simulators[model].engine.gpu)


async def test_an_awake_engine_is_shown_with_what_it_keeps_asleep_too() -> None:
    async with running_arbiter("a") as home:
        stats = home.arbiter.scheduler.stats["a"]
        stats.awake_gib, stats.residual_gib = 20.0, 1.5
        for level_gib in (0.0, 0.25, 0.5):
            stats.leaks.add(level_gib, level_gib + 0.25)
        async with home.client.get(f"{home.at('operator')}/status") as answer:
            model = (await answer.json())["models"][0]
        assert (model["vram_bytes"] / GIB, model["residual_bytes"] / GIB) == (22.0, 2.0)


async def test_the_page_and_its_stream_are_served_and_a_stop_ends_the_stream() -> None:
    async with aiohttp.ClientSession() as client:
        async with running_arbiter("a", awake="a") as home:
            async with home.client.get(f"{home.at('operator')}/") as page:
                assert "text/html" in page.headers["content-type"]
            stream = await client.get(f"{home.at('operator')}/status/stream")
            assert (await stream.content.readline()).startswith(b"data: {")
        assert await stream.read()


async def test_the_metrics_have_standard_names_and_count() -> None:
    async with running_arbiter("a", "b", awake="a") as home:
        await home.ask("b")
        await home.ask("nobody")
        async with home.client.get(f"{home.at('metrics')}/metrics") as answer:
            assert answer.headers["content-type"].startswith("text/plain")
            text = await answer.text()
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert samples["synapse_arbiter_requests_total", "b", "true"] == 1
        assert samples["synapse_arbiter_transitions_total", "switch", "done"] == 1
        assert samples["synapse_arbiter_resident", "b"] == 1
        assert samples["synapse_arbiter_resident", "a"] == 0
        assert samples["synapse_arbiter_engine_condition", "asleep", "a"] == 1
        assert samples["synapse_arbiter_refusals_total", "", "model_not_found"] == 1
        assert samples["synapse_arbiter_vram_total_bytes",] == 32 * 1024**3
        assert samples["synapse_arbiter_vram_used_bytes",] > 0
        assert samples["synapse_arbiter_residency_seconds_total", "a"] > 0
        assert samples["synapse_arbiter_step_duration_seconds_count", "b", "wake"] == 1


async def test_probes_tell_a_start_from_a_stop() -> None:
    async with running_arbiter("a", awake="a") as home:
        async with home.client.get(f"{home.url}/healthz") as answer:
            assert await answer.json() == {"alive": True}
        async with home.client.get(f"{home.url}/readyz") as answer:
            assert await answer.json() == {"ready": True}
        home.arbiter.scheduler.state.ready = False
        async with home.client.get(f"{home.url}/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["error"]["code"] == "starting"


async def test_probes_and_metrics_wake_nothing() -> None:
    async with running_arbiter("a") as home:
        for audience, path in (
            ("inference", "healthz"),
            ("inference", "readyz"),
            ("inference", "v1/models"),
            ("metrics", "metrics"),
            ("operator", "status"),
            ("operator", ""),
        ):
            async with home.client.get(f"{home.at(audience)}/{path}") as answer:
                assert answer.status == 200
        assert home.simulators["a"].counters["wakes"] == 0
        assert home.resident is None


async def test_a_graceful_stop_lets_a_running_answer_end_and_refuses_the_waiting() -> None:
    async with aiohttp.ClientSession() as client:
        engine = {"ttft_s": 0.3}
        async with running_arbiter("a", "b", awake="a", engine=engine) as home:
            home.client = client
            running = asyncio.create_task(home.ask("a"))
            state = home.arbiter.scheduler.state
            await home.until(lambda: bool(state.running), "the request to run")
            waiting = asyncio.create_task(home.ask("b"))
            await home.until(lambda: home.waiting == 1, "the other to wait")
        assert (await running).status == 200
        refused = await waiting
        assert (refused.status, refused.code) == (503, "stopping")
        assert json.loads(refused.body)["error"]["type"] == "server_error"
