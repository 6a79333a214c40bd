"""Has an accepted request answered: its body is read and checked, then a chain of models tries."""

from __future__ import annotations

from aiohttp import web

from synapse_common.bodies.budget import Budget, Held
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.audio.job import AudioJob
from synapse_gateway.audio.queue import TranscriptionQueue
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.audio.uploads import Uploads
from synapse_gateway.body import breath, read_body
from synapse_gateway.config import App, Config
from synapse_gateway.metrics import Metrics
from synapse_gateway.people import People
from synapse_gateway.places import Places
from synapse_gateway.relay import chain
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.ollama_facts import OllamaFacts
from synapse_gateway.relay.text import TextJob
from synapse_gateway.request import Request, asked_for, json_object
from synapse_gateway.response import ResponseWriter
from synapse_gateway.routes import Route, Shape
from synapse_gateway.usage.spending import Spending


class Serving:
    """Serves text and sound, for an application that may ask."""

    def __init__(
        self,
        config: Config,
        engines: Engines,
        ollama: OllamaFacts,
        budget: Budget,
        metrics: Metrics,
        spending: Spending,
    ) -> None:
        """Begin with nothing in flight."""
        self._config = config
        self._engines = engines
        self._ollama = ollama
        self._budget = budget
        self._people = People.of(config)
        self._spending = spending
        self._queue = TranscriptionQueue(config.settings, metrics.transcription_queue_length)
        self._uploads = Uploads(config.settings, metrics.upload_queue_length)

    async def serve(
        self,
        writer: ResponseWriter,
        route: Route,
        app: App,
        places: Places,
        request: web.BaseRequest,
    ) -> None:
        """Answer a request, or raise Refusal."""
        self._people.note_header(writer.record, app, request.headers)
        if route.shape is Shape.FORM:
            async with self._uploads.received(request, route, writer.record) as upload:
                await writer.tell_ignored({*upload.ignored})
                self._people.note_form(writer.record, app, upload.named)
                heard = await AudioRequest.heard(upload, route, app, self._config)
                await self._speak(writer, heard, places)
            return
        with self._budget.held_by(app.name) as held:
            asked = await self._understood(request, route, app, held, writer.record)
            self._note(writer.record, asked)
            if route.is_audio:
                limit = self._config.settings.spoken_characters
                await self._speak(writer, AudioRequest.spoken(asked, limit), places)
                return
            if asked.has_pictures and asked.model.lacks(["vision"]):
                raise errors.blind(asked.asked)
            job = TextJob(asked, self._engines, self._config, self._ollama, held)
            await self._run(job, asked, writer, places)

    async def _understood(
        self,
        request: web.BaseRequest,
        route: Route,
        app: App,
        held: Held,
        record: RequestRecord,
    ) -> Request:
        """Return what is asked for; the body is let go: it is written anew, and may be large."""
        settings, sets_aside = self._config.settings, not route.is_audio
        body = await read_body(request, settings, held, sets_aside=sets_aside)
        told = json_object(body)
        await breath(body.size)
        self._people.note_fields(record, app, route.dialect, told, body.aside.length)
        return asked_for(told, body, route, app, self._config)

    async def _speak(self, writer: ResponseWriter, request: AudioRequest, places: Places) -> None:
        record = writer.record
        record.asked, record.model, record.stream = request.asked, request.model, request.stream
        record.bytes_in, record.audio_s = request.bytes_in, request.audio_s
        request.check_length(self._config.settings.recording_limit_s)
        job = AudioJob(request, self._engines, self._queue, self._config.settings)
        await self._run(job, request, writer, places)

    async def _run(
        self,
        job: chain.Job,
        asked: Request | AudioRequest,
        writer: ResponseWriter,
        places: Places,
    ) -> None:
        among = self._config, places, self._spending
        await chain.run(job, asked.asked, asked.model, writer, *among)

    def _note(self, record: RequestRecord, asked: Request) -> None:
        record.asked, record.model, record.stream = asked.asked, asked.model, asked.stream
        if self._config.settings.log_prompts:
            fields = asked.fields
            record.note_prompt(fields.get("messages", fields.get("prompt", fields.get("input"))))
