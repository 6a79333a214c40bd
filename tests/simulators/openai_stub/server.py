"""The stub's HTTP server, in a thread of its own so that synchronous tests can steer it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web

from openai_stub import answers, native_answers, native_checks, other_dialects
from openai_stub.behaviour import Behaviour, Received

START_TIMEOUT_S = 10
DETECTION = "where somebody speaks"


class OpenAIStub:
    """An engine on 127.0.0.1; `behaviours` says what each model does, `received` what came in."""

    def __init__(self, port: int) -> None:
        """Remember the port; `start` opens it."""
        self.port = port
        self.behaviours: dict[str, Behaviour] = {}
        self.received: list[Received] = []
        self.checked: list[Received] = []
        """Requests that load a model, or that are longer than it can read."""
        self.detections: list[Received] = []
        """Recordings in which speech was looked for; `behaviours` has DETECTION for that."""
        self.abandoned = 0
        """Requests whose client left before the answer was complete."""
        self.at_once = 0
        self.most_at_once = 0
        """Requests that are being served, and the most of them that ever were."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None

    def start(self) -> None:
        """Open the port."""
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(START_TIMEOUT_S)

    def stop(self) -> None:
        """Close the port, so that connections are refused; `start` may follow."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(START_TIMEOUT_S)

    def reset(self) -> None:
        """Forget behaviours and requests, and open the port if it was closed."""
        self.behaviours.clear()
        self.received.clear()
        self.checked.clear()
        self.detections.clear()
        self.abandoned = self.most_at_once = 0
        if self._runner is None:
            self.start()

    def shutdown(self) -> None:
        """Close the port for good and end the thread."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application(client_max_size=64 * 1024**2, middlewares=[self._counted])
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/completions", self._completion)
        app.router.add_post("/v1/responses", self._response)
        app.router.add_post("/v1/messages", self._message)
        app.router.add_post("/v1/embeddings", self._embeddings)
        app.router.add_post("/v1/rerank", self._rerank)
        app.router.add_post("/v1/audio/transcriptions", self._transcription)
        app.router.add_post("/v1/audio/translations", self._transcription)
        app.router.add_post("/v1/audio/speech", self._speech)
        app.router.add_post("/v1/audio/speech/timestamps", self._speech_timestamps)
        app.router.add_get("/v1/audio/voices", self._voices)
        app.router.add_post("/api/chat", self._native)
        app.router.add_post("/api/generate", self._native)
        app.router.add_post("/api/embed", self._native)
        app.router.add_post("/api/embeddings", self._native)
        app.router.add_post("/api/show", self._native)
        for path, told in native_answers.LISTS.items():
            app.router.add_get(path, partial(_told, told))
        # A client that leaves cancels its handler: that is how `abandoned` is counted.
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _counted(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await handler(request)
        finally:
            self.at_once -= 1

    async def _accept(self, request: web.Request) -> tuple[dict[str, Any], Behaviour]:
        if request.content_type == "application/json":
            body = await request.json()
            received = Received(request.path, dict(request.headers), body)
        else:
            received = _received(request, await request.post())
            body = received.body
        self.received.append(received)
        behaviour = self.behaviours.get(body["model"], Behaviour())
        try:
            if behaviour.hangs:
                await asyncio.Event().wait()
            await asyncio.sleep(behaviour.first_token_after_s)
        except asyncio.CancelledError:
            self.abandoned += 1
            raise
        if behaviour.status != 200:
            raise _refusal(behaviour, native=request.path.startswith("/api/"))
        return body, behaviour

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body, behaviour = await self._accept(request)
        if body.get("stream"):
            chunks = answers.chat_chunks(body["model"], body, behaviour)
            return await self._stream(request, chunks, behaviour)
        return web.json_response(
            answers.chat(body["model"], body, behaviour), headers=behaviour.headers
        )

    async def _completion(self, request: web.Request) -> web.StreamResponse:
        body, behaviour = await self._accept(request)
        if body.get("stream"):
            chunks = answers.completion_chunks(body["model"], body, behaviour)
            return await self._stream(request, chunks, behaviour)
        return web.json_response(answers.completion(body["model"], behaviour))

    async def _response(self, request: web.Request) -> web.StreamResponse:
        body, behaviour = await self._accept(request)
        if body.get("stream"):
            events = other_dialects.response_events(body, behaviour)
            return await self._named(request, events, behaviour)
        return web.json_response(other_dialects.response(body, behaviour))

    async def _message(self, request: web.Request) -> web.StreamResponse:
        body, behaviour = await self._accept(request)
        if body.get("stream"):
            events = other_dialects.message_events(body, behaviour)
            return await self._named(request, events, behaviour)
        return web.json_response(other_dialects.message(body, behaviour))

    async def _embeddings(self, request: web.Request) -> web.Response:
        body, behaviour = await self._accept(request)
        return web.json_response(answers.embeddings(body["model"], body), headers=behaviour.headers)

    async def _native(self, request: web.Request) -> web.StreamResponse:
        """Answer as Ollama's own API does; what is too long is refused before anything else."""
        told = await request.json()
        known = self.behaviours.get(told.get("model"), Behaviour())
        whole = told.get("truncate") is False and not known.cuts
        if native_checks.is_check(told) and request.path != "/api/show":
            self.checked.append(Received(request.path, dict(request.headers), told))
            if native_checks.is_too_long(told) and whole:
                return web.json_response({"error": native_checks.TOO_LONG}, status=400)
            return web.json_response(native_answers.whole(request.path, told, Behaviour()))
        body, behaviour = await self._accept(request)
        if native_checks.exceeds(body, behaviour.context_tokens) and whole:
            return web.json_response({"error": native_checks.TOO_LONG}, status=400)
        fault = native_answers.fault(request.path, body)
        if fault is not None:
            return web.json_response({"error": fault[1]}, status=fault[0])
        if not native_answers.streams(request.path, body):
            told = native_answers.whole(request.path, body, behaviour)
            return web.json_response(told, headers=behaviour.headers)
        lines = native_answers.lines(request.path, body, behaviour)
        headers = {"Content-Type": "application/x-ndjson", **behaviour.headers}
        pieces = [json.dumps(line).encode() + b"\n" for line in lines]
        return await self._send(request, pieces, behaviour, headers)

    async def _rerank(self, request: web.Request) -> web.Response:
        body, behaviour = await self._accept(request)
        return web.json_response(answers.ranking(body["model"], body), headers=behaviour.headers)

    async def _transcription(self, request: web.Request) -> web.StreamResponse:
        body, behaviour = await self._accept(request)
        if body.get("stream") == "true":
            if behaviour.crashes:
                behaviour = replace(behaviour, dies_after_words=0)
            return await self._stream(request, answers.transcript_events(behaviour), behaviour)
        if behaviour.dies_after_words == 0 and request.transport is not None:
            request.transport.abort()
        if behaviour.crashes:
            return web.Response(text=answers.CRASH, status=500)
        if behaviour.body is not None:
            return web.json_response(behaviour.body)
        if body.get("response_format") in answers.TRANSCRIPTS:
            kind, text = answers.TRANSCRIPTS[body["response_format"]]
            return web.Response(text=text if behaviour.words else "", content_type=kind)
        return web.json_response(answers.transcript(body))

    async def _speech_timestamps(self, request: web.Request) -> web.Response:
        """Say where somebody speaks; models have no part in it."""
        self.detections.append(_received(request, await request.post()))
        behaviour = self.behaviours.get(DETECTION, Behaviour())
        if behaviour.hangs:
            await asyncio.Event().wait()
        if behaviour.crashes:
            return web.Response(text=answers.CRASH, status=500)
        if behaviour.status != 200:
            raise _refusal(behaviour)
        found = answers.SPEECH_FOUND if behaviour.body is None else behaviour.body
        return web.json_response(found)

    async def _voices(self, request: web.Request) -> web.Response:
        behaviour = self.behaviours.get("voices", Behaviour())
        if behaviour.hangs:
            await asyncio.Event().wait()
        if behaviour.status != 200:
            raise _refusal(behaviour)
        return web.json_response({"voices": answers.VOICES})

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        _, behaviour = await self._accept(request)
        headers = {"Content-Type": "audio/wav", **behaviour.headers}
        pieces = [answers.SPEECH, *(word.encode() for word in behaviour.words)]
        return await self._send(request, pieces, behaviour, headers)

    async def _named(
        self, request: web.Request, events: list[dict[str, Any]], behaviour: Behaviour
    ) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", **behaviour.headers}
        return await self._send(request, other_dialects.named(events), behaviour, headers)

    async def _stream(
        self, request: web.Request, chunks: list[dict[str, Any]], behaviour: Behaviour
    ) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", **behaviour.headers}
        pieces = [b"data: " + web.json_response(chunk).body + b"\n\n" for chunk in chunks]  # type: ignore[operator]
        return await self._send(request, pieces, behaviour, headers, b"data: [DONE]\n\n")

    async def _send(
        self,
        request: web.Request,
        pieces: list[bytes],
        behaviour: Behaviour,
        headers: dict[str, str],
        last: bytes = b"",
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            for sent, piece in enumerate(pieces):
                if sent == behaviour.hangs_after_words:
                    await asyncio.Event().wait()
                if sent == behaviour.dies_after_words and request.transport is not None:
                    request.transport.abort()
                if sent == behaviour.ends_after_words:
                    return response
                await response.write(piece)
                await asyncio.sleep(behaviour.between_tokens_s)
            await response.write(last)
        except (asyncio.CancelledError, ConnectionError):
            self.abandoned += 1
            raise
        return response


def _received(request: web.Request, form: Mapping[str, Any]) -> Received:
    body = {key: _read(value) for key, value in form.items()}
    name = getattr(form.get("file"), "filename", None)
    return Received(request.path, dict(request.headers), body, name)


def _read(field: Any) -> Any:
    return field.file.read() if isinstance(field, web.FileField) else field


async def _told(told: dict[str, Any], request: web.Request) -> web.Response:
    return web.json_response(told)


def _refusal(behaviour: Behaviour, *, native: bool = False) -> web.HTTPException:
    headers = {"Content-Type": "application/json", **behaviour.headers}
    if behaviour.retry_after_s is not None:
        headers["Retry-After"] = str(behaviour.retry_after_s)
    told = {"detail": behaviour.detail} if behaviour.detail else None
    if native:
        told = {"error": behaviour.message}
    body = web.json_response(told or answers.error(behaviour.status, behaviour.message)).text
    refusal = web.HTTPException(headers=headers, text=body)
    refusal.set_status(behaviour.status)
    return refusal
