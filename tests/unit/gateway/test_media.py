"""Pictures come as data: an address in a request is one that an engine would fetch for a client."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_common.refusals import Refusal
from synapse_gateway import media

Body = dict[str, Any]

DATA = "data:image/png;base64,iVBORw0KGgo="
INSIDE = "http://10.0.0.1/admin"


def chat(*parts: Any) -> Body:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def responses(*parts: Any) -> Body:
    return {"input": [{"role": "user", "content": list(parts)}]}


def shapes(url: str) -> dict[str, Body]:
    """Return a picture at this address in every way that an engine understands."""
    image = {"type": "image_url", "image_url": {"url": url}}
    source = {"type": "image", "source": {"type": "url", "url": url}}
    shown = {"type": "input_image", "image_url": url}
    return {
        "chat": chat({"type": "text", "text": "?"}, image),
        "chat, a text alone": chat({"type": "image_url", "image_url": url}),
        "chat, no type": chat({"image_url": {"url": url}}),
        "responses": responses(shown),
        "responses, an item": {"input": [shown]},
        "responses, a tool's": {"input": [{"type": "function_call_output", "output": [shown]}]},
        "responses, a screen": {
            "input": [{"type": "computer_call_output", "output": {**shown, "type": "x"}}]
        },
        "messages": chat(source),
        "messages, a tool's": chat({"type": "tool_result", "content": [source]}),
        "rerank": {"documents": [{"content": [image]}]},
        "rerank, together": {"documents": {"content": [image]}},
        "rerank, asked": {"query": {"content": [image]}, "documents": ["x"]},
        "score": {"queries": "x", "documents": [{"content": [image]}]},
        "score, by texts": {"text_1": "x", "text_2": {"content": [image]}},
        "score, by data": {"data_1": [{"content": [image]}], "data_2": "x"},
    }


def others(url: str) -> dict[str, Body]:
    """Return what is no picture and would be fetched all the same."""
    return {
        "video": chat({"type": "video_url", "video_url": {"url": url}}),
        "video, no type": chat({"video_url": {"url": url}}),
        "sound": chat({"type": "audio_url", "audio_url": {"url": url}}),
        "sound, no type": chat({"audio_url": url}),
        "another type": chat({"type": "text", "text": "x", "image_url": {"url": url}}),
        "document": chat({"type": "document", "source": {"type": "url", "url": url}}),
        "file": responses({"type": "input_file", "file_url": url}),
        "file, by its id": chat({"type": "file", "file": {"file_id": url}}),
    }


@pytest.mark.parametrize("shape", shapes(DATA))
def test_a_picture_is_seen_and_may_be_data(shape: str) -> None:
    assert media.has_pictures(shapes(DATA)[shape], ())
    assert media.has_pictures(shapes("DATA:image/png;base64,iVBORw0KGgo=")[shape], ())


@pytest.mark.parametrize("shape", [*shapes(INSIDE), *others(INSIDE)])
@pytest.mark.parametrize(
    "url",
    [
        INSIDE, "https://example.com/cat.png", "file:///etc/passwd", "ftp://cats/1.png",
        "//cats/1.png", "http://[", "http://cats.example@10.0.0.1/", "http://cats.example.evil/",
        " https://cats.example/1.png", "http://10.0.0.1\\@cats.example/1.png",
        "http://user@cats.example/1.png",
    ],
)  # fmt: skip
def test_an_address_is_refused_wherever_it_stands(shape: str, url: str) -> None:
    body = {**shapes(url), **others(url)}[shape]
    with pytest.raises(Refusal) as refused:
        media.has_pictures(body, ("cats.example",))
    assert refused.value.status == 400
    assert "data:" in refused.value.message
    assert url not in refused.value.message
    place = str(refused.value.param)
    assert place.partition("[")[0].partition(".")[0] in body, "the client finds it by its place"


@pytest.mark.parametrize("shape", shapes(DATA))
@pytest.mark.parametrize("url", ["https://cats.example/1.png", "http://cats.example:80/1.png"])
def test_a_site_may_name_hosts(shape: str, url: str) -> None:
    assert media.has_pictures(shapes(url)[shape], ("cats.example",))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": "http://10.0.0.1"},
        chat({"type": "text", "text": "look at http://10.0.0.1"}, "http://10.0.0.1", None),
        {"messages": [{"role": "user", "content": "http://10.0.0.1"}, 5]},
        {"input": "http://10.0.0.1/", "documents": ["http://10.0.0.1/"]},
        responses({"type": "input_text", "text": "x"}),
        chat({"type": "file", "file": {"file_id": "file-1"}}),
        {"documents": [{"title": "x", "url": "https://example.com"}]},
    ],
)
def test_words_about_an_address_are_words(body: Body) -> None:
    assert not media.has_pictures(body, ())


@pytest.mark.parametrize("holder", ["list", "parts"])
def test_parts_in_parts_end_somewhere(holder: str) -> None:
    told: Any = "x"
    for _ in range(900):
        told = [told] if holder == "list" else {"content": [told]}
    with pytest.raises(Refusal, match="nested too deeply") as refused:
        media.has_pictures({"messages": [told]}, ())
    assert str(refused.value.param).startswith("messages[0]")


def test_ollamas_clients_show_pictures_in_lists_of_their_own() -> None:
    assert media.has_native_pictures({"images": ["iVBO"]})
    assert media.has_native_pictures({"messages": [{"content": "?", "images": ["iVBO"]}]})
    none: list[Body] = [{}, {"images": []}, {"messages": [{"images": None}, 5]}, {"messages": 5}]
    assert not any(map(media.has_native_pictures, none))
