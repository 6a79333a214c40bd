"""/v1/responses as a stream: every item is announced, told in pieces, and told whole."""

import contextlib
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from vllm_simulator.dialects import events
from vllm_simulator.dialects.chat_parts import call_id
from vllm_simulator.dialects.common import settings_of
from vllm_simulator.dialects.events import Events
from vllm_simulator.dialects.response_items import (
    function_call,
    message,
    new_item_id,
    part,
    reasoning,
)
from vllm_simulator.dialects.response_object import Response
from vllm_simulator.generation import Channel, Generation, Piece

_Event = dict[str, Any]


async def stream(request: web.Request, made: Response, wanted: Generation) -> web.StreamResponse:
    """Answer as events."""

    async def tell(told: Events) -> None:
        teller = _Teller(wanted, newest=settings_of(request).behaviour.is_newest)
        for name in ("response.created", "response.in_progress"):
            await _send(told, teller.numbered({"response": made.begun(), "type": name}))
        async with contextlib.aclosing(told.pieces([wanted])) as pieces:
            async for _, piece in pieces:
                for event in teller.of(piece, complete=made.complete):
                    await _send(told, event)
        whole = made.ended(teller.output)
        name = f"response.{whole['status'] if teller.newest else 'completed'}"
        await _send(told, teller.numbered({"response": whole, "type": name}))

    return await events.stream(request, tell, _fail)


async def _fail(told: Events, error: _Event) -> None:
    """Tell a failure; no [DONE] ends a response."""
    await told.send(error)


async def _send(told: Events, event: _Event) -> None:
    await told.send(event, event["type"])


class _Teller:
    """Numbers the events, and knows which item is being told."""

    def __init__(self, wanted: Generation, *, newest: bool) -> None:
        self.newest = newest
        self._call = wanted.call
        self._call_id = call_id()
        self.output: list[dict[str, Any]] = []
        self._number = 0
        self._channel: Channel | None = None
        self._item_id = ""
        self._text = ""

    def numbered(self, event: _Event) -> _Event:
        """Give an event the next number."""
        self._number += 1
        return {**event, "sequence_number": self._number - 1}

    def of(self, piece: Piece | None, *, complete: bool) -> Iterator[_Event]:
        """Tell a token; None ends the answer."""
        if piece is None or piece.channel is not self._channel:
            yield from self._close(complete=complete or piece is not None)
        if piece is None:
            return
        if self._channel is None:
            yield from self._open(piece.channel)
        self._text += piece.text
        if self._channel is Channel.CALL:
            if piece.text:
                yield self._of_call({"delta": piece.text}, "delta")
            return
        name, extra = self._names()[0], self._extra()
        yield self._of_part({"delta": piece.text, **extra, "type": f"response.{name}.delta"})

    def _open(self, channel: Channel) -> Iterator[_Event]:
        self._channel, self._text = channel, ""
        named = self.newest or channel is not Channel.REASONING
        self._item_id = new_item_id(channel, named=named)
        item = self._item(None, "in_progress")
        yield self._of_item({"item": item, "type": "response.output_item.added"})
        if channel is Channel.CALL:
            return
        empty = part(channel, "", logprobs=[])
        yield self._of_part({"part": empty, "type": f"response.{self._names()[1]}.added"})

    def _close(self, *, complete: bool) -> Iterator[_Event]:
        if self._channel is None:
            return
        yield from self._end()
        status = "completed" if complete or not self.newest else "incomplete"
        item = self._item(self._text, status)
        yield self._of_item({"item": item, "type": "response.output_item.done"})
        self.output.append(self._kept(item))
        self._channel = None

    def _end(self) -> Iterator[_Event]:
        """Tell whole what was told in pieces."""
        assert self._channel is not None
        if self._channel is Channel.CALL:
            assert self._call is not None
            yield self._of_call({"arguments": self._text, "name": self._call.name}, "done")
            return
        text_name, part_name = self._names()
        extra = self._extra()
        yield self._of_part({"text": self._text, **extra, "type": f"response.{text_name}.done"})
        said = part(self._channel, self._text)
        yield self._of_part({"part": said, "type": f"response.{part_name}.done"})

    def _kept(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the item as the whole response holds it: older versions make it anew."""
        if self.newest or self._channel is not Channel.REASONING:
            return item
        return {**item, "id": new_item_id(Channel.REASONING), "status": None}

    def _item(self, text: str | None, status: str) -> dict[str, Any]:
        if self._channel is Channel.CALL:
            assert self._call is not None
            return function_call(self._call, text or "", self._item_id, self._call_id, status)
        make = reasoning if self._channel is Channel.REASONING else message
        return make(text, self._item_id, status)

    def _names(self) -> tuple[str, str]:
        """Name the events of the text and of the part that holds it."""
        if self._channel is not Channel.REASONING:
            return "output_text", "content_part"
        return "reasoning_text", "content_part" if self.newest else "reasoning_part"

    def _extra(self) -> dict[str, Any]:
        return {} if self._channel is Channel.REASONING else {"logprobs": []}

    def _of_item(self, event: _Event) -> _Event:
        return self.numbered({**event, "output_index": len(self.output)})

    def _of_call(self, event: _Event, what: str) -> _Event:
        kind = f"response.function_call_arguments.{what}"
        return self._of_item({**event, "item_id": self._item_id, "type": kind})

    def _of_part(self, event: _Event) -> _Event:
        return self._of_item({**event, "content_index": 0, "item_id": self._item_id})
