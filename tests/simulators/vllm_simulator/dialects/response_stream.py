"""/v1/responses as a stream: every item is announced, told in pieces, and told whole."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web

from vllm_simulator.answering import together
from vllm_simulator.dialects.common import BrokenOffError, EventStream, settings_of
from vllm_simulator.dialects.response_items import message, new_item_id, part, reasoning
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.generation import Channel, Generation, Piece
from vllm_simulator.hosting import SIMULATOR

if TYPE_CHECKING:
    from vllm_simulator.dialects.responses import Response

_Event = dict[str, Any]


async def stream(request: web.Request, made: "Response", wanted: Generation) -> web.StreamResponse:
    """Answer as events."""
    events = EventStream(request)
    await events.open()
    teller = _Teller(newest=settings_of(request).behaviour.is_newest)
    for name in ("response.created", "response.in_progress"):
        await _send(events, teller.numbered({"response": made.begun(), "type": name}))
    try:
        async with contextlib.aclosing(together(request.app[SIMULATOR].engine, [wanted])) as pieces:
            async for _, piece in pieces:
                if piece is not None:
                    events.count()
                for event in teller.of(piece, complete=made.complete):
                    await _send(events, event)
    except (EngineDeadError, EnginePausedError) as error:
        told = events.failed(error)
        if told is None:
            return events.dropped()
        await events.send(told)
        return events.end()
    except BrokenOffError:
        return events.broken()
    whole = made.ended(teller.output)
    name = f"response.{whole['status'] if teller.newest else 'completed'}"
    await _send(events, teller.numbered({"response": whole, "type": name}))
    return events.end()


async def _send(events: EventStream, event: _Event) -> None:
    await events.send(event, event["type"])


class _Teller:
    """Numbers the events, and knows which item is being told."""

    def __init__(self, *, newest: bool) -> None:
        self.newest = newest
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
        name, extra = self._names()[0], self._extra()
        yield self._of_part({"delta": piece.text, **extra, "type": f"response.{name}.delta"})

    def _open(self, channel: Channel) -> Iterator[_Event]:
        self._channel, self._text = channel, ""
        named = self.newest or channel is not Channel.REASONING
        self._item_id = new_item_id(channel, named=named)
        item = self._item(None, "in_progress")
        yield self._of_item({"item": item, "type": "response.output_item.added"})
        empty = part(channel, "", logprobs=[])
        yield self._of_part({"part": empty, "type": f"response.{self._names()[1]}.added"})

    def _close(self, *, complete: bool) -> Iterator[_Event]:
        if self._channel is None:
            return
        text_name, part_name = self._names()
        extra = self._extra()
        yield self._of_part({"text": self._text, **extra, "type": f"response.{text_name}.done"})
        said = part(self._channel, self._text)
        yield self._of_part({"part": said, "type": f"response.{part_name}.done"})
        status = "completed" if complete or not self.newest else "incomplete"
        item = self._item(self._text, status)
        yield self._of_item({"item": item, "type": "response.output_item.done"})
        self.output.append(self._kept(item))
        self._channel = None

    def _kept(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the item as the whole response holds it: older versions make it anew."""
        if self.newest or self._channel is not Channel.REASONING:
            return item
        return {**item, "id": new_item_id(Channel.REASONING), "status": None}

    def _item(self, text: str | None, status: str) -> dict[str, Any]:
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

    def _of_part(self, event: _Event) -> _Event:
        return self._of_item({**event, "content_index": 0, "item_id": self._item_id})
