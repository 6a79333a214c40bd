"""What must never get through: control paths, other paths, other methods, bodies too large."""

import asyncio
from pathlib import Path

from harness import Harness, running_arbiter

FORBIDDEN = [
    "/sleep?level=1",
    "/wake_up",
    "/is_sleeping",
    "/collective_rpc",
    "/pause",
    "/resume",
    "/abort_requests",
    "/reset_prefix_cache",
    "/release_kv_cache_memory",
    "/server_info",
    "/invocations",
    "/tokenizer_info",
    "/v1/../sleep",
    "/v1/%2e%2e/sleep",
    "/v1/..%2fsleep",
    "/v1/chat/completions/../../../sleep",
    "/v1/chat/completions/",
    "/v1//chat/completions",
    "//v1/chat/completions",
    "/v1/chat/completions;/../sleep",
    "/v1/chat%2fcompletions",
    "/V1/chat/completions",
    "/v1/chat/completions#/../sleep",
    "/v1/load_lora_adapter",
    "/v1",
    "/admin/pin/nobody",
    "/boot",
]


async def speak(home: Harness, text: str, audience: str = "inference") -> bytes:
    """Send raw bytes on a connection of its own, so that no client tidies them up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", home.arbiter.ports[audience])
    writer.write(text.encode("latin-1"))
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


QUESTION = '{"model":"a","messages":[{"role":"user","content":"x"}]}'


def post(path: str, body: str = QUESTION, host: str = "arbiter") -> str:
    return (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    )


async def test_no_spelling_of_a_path_reaches_an_engines_control_endpoints() -> None:
    async with running_arbiter("a", awake="a") as home:
        before = dict(home.simulators["a"].counters)
        for path in FORBIDDEN:
            answer = await speak(home, post(path))
            assert answer.split()[1] in (b"404", b"400"), path
            assert b"x-synapse-model" not in answer, path
        for path in FORBIDDEN:
            answer = await speak(home, post(f"http://127.0.0.1{path}"))
            assert answer.split()[1] in (b"404", b"400"), path
        after = dict(home.simulators["a"].counters)
        assert after.get("sleeps") == before.get("sleeps")
        assert after.get("requests") == before.get("requests")
        assert not home.simulators["a"].engine.is_sleeping


async def test_two_requests_in_one_write_are_two_answers() -> None:
    async with running_arbiter("a", awake="a") as home:
        first = post("/v1/chat/completions")
        first = first.replace("connection: close\r\n", "")
        answer = await speak(home, first + post("/sleep?level=1"))
        assert answer.count(b"HTTP/1.1 ") == 2
        assert b"path_not_found" in answer
        assert not home.simulators["a"].engine.is_sleeping


async def test_a_body_whose_length_is_said_twice_is_not_taken() -> None:
    async with running_arbiter("a", awake="a") as home:
        text = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
            "0\r\n\r\nPOST /sleep HTTP/1.1\r\nhost: a\r\n\r\n"
        )
        answer = await speak(home, text)
        assert answer.startswith(b"HTTP/1.1 400") or answer.startswith(b"HTTP/1.0 400")
        assert not home.simulators["a"].engine.is_sleeping


async def test_the_wrong_method_is_told_the_right_one() -> None:
    async with (
        running_arbiter("a", awake="a") as home,
        home.client.get(f"{home.url}/v1/chat/completions") as answer,
    ):
        assert answer.status == 405
        assert "POST" in (await answer.json())["error"]["message"]


async def test_a_body_that_is_too_large_is_refused() -> None:
    async with running_arbiter("a", awake="a", limits={"body_mib": 0.01}) as home:
        answer = await home.ask("a", "x" * 20_000)
        assert (answer.status, answer.code) == (413, "body_too_large")


async def test_a_client_that_asks_before_sending_its_body_is_told_to_go_on() -> None:
    async with running_arbiter("a", awake="a") as home:
        body = '{"model":"a","messages":[{"role":"user","content":"x"}],"max_tokens":1}'
        reader, writer = await asyncio.open_connection("127.0.0.1", home.arbiter.ports["inference"])
        head = post("/v1/chat/completions", body).removesuffix(body)
        writer.write(head.replace("connection", "expect: 100-continue\r\nconnection").encode())
        assert await asyncio.wait_for(reader.readline(), 10) == b"HTTP/1.1 100 Continue\r\n"
        writer.write(body.encode())
        assert b"HTTP/1.1 200 OK" in await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()


async def test_connections_are_kept_alive_on_both_sides() -> None:
    async with running_arbiter("a", awake="a") as home:
        for _ in range(5):
            assert (await home.ask("a")).status == 200
        assert len(home.client.connector._conns) == 1  # type: ignore[union-attr]
        assert len(home.simulators["a"].connections) == 0


async def test_a_body_that_cannot_be_unpacked_is_the_clients_fault() -> None:
    async with running_arbiter("a", awake="a") as home:
        head = post("/v1/chat/completions", "no gzip")
        answer = await speak(home, head.replace("host:", "content-encoding: gzip\r\nhost:"))
        assert answer.startswith(b"HTTP/1.1 400")
        assert b'"code":"invalid_request"' in answer


async def test_a_token_that_is_no_text_is_a_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("sesame")
    async with running_arbiter("a", awake="a", admin_token_file=str(path)) as home:
        head = post("/admin/unpin", "", host="localhost")
        head = head.replace("host:", "authorization: Bearer \xff\r\nhost:")
        answer = await speak(home, head, "operator")
        assert answer.startswith(b"HTTP/1.1 401")
        assert b'"code":"unauthorized"' in answer
