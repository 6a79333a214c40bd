"""Pictures, documents and sound: each goes to the house's own models, or is refused by name."""

import base64
import io
import math
import re
import struct
import wave

import httpx
import pytest

from real_open_webui.page import Page
from real_open_webui.sites import Since, Site

APP = "open-webui"
# One red dot.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
PICTURE = [
    {"type": "text", "text": "What is on this picture?"},
    {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"},
    },
]
SECRET = "Mortimer"
DOCUMENT = f"The grey cat of this house is called {SECRET}. It sleeps on the stove all day.\n" * 5
SENTENCE = "The cat sat on the mat."
ITS_OWN = {"alloy", "echo", "fable", "onyx", "nova", "shimmer"}
"""The voices that it shows where nobody tells it of others."""
WORDS = set(SENTENCE.lower().strip(".").split())


def tone() -> bytes:
    """Return a second of sound."""
    made, rate = io.BytesIO(), 16_000
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = (int(8000 * math.sin(number / 8)) for number in range(rate))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return made.getvalue()


def test_a_picture_is_answered_by_a_model_that_sees_w2(
    page: Page, site: Site, since: Since
) -> None:
    seeing = site.catalogue.seeing
    if seeing is None:
        pytest.skip("no model of the demo sees; ENGINES=simulated has one")
    answer = page.ask(seeing, PICTURE)
    assert answer.status_code == 200, answer.text
    (line,) = since.of(APP, "chat")
    assert (line["asked"], line["status"]) == (seeing, 200)


def test_a_picture_to_a_model_that_cannot_see_is_refused_by_name_w2(
    page: Page, site: Site, since: Since
) -> None:
    for blind in (site.catalogue.cpu, site.catalogue.gpu):
        answer = page.ask(blind, PICTURE)
        assert answer.status_code == 400, answer.text
        assert blind in answer.text
        assert re.search("picture|image", answer.text)
    assert {line["status"] for line in since.of(APP, "chat", 2)} == {400}


def test_a_document_is_read_by_our_embeddings_w5(page: Page, site: Site, since: Since) -> None:
    document = page.upload("cat.txt", DOCUMENT)
    read = since.of(APP, "embedding")
    assert {(line["asked"], line["status"]) for line in read} == {("embed", 200)}
    chat = page.send(site.catalogue.cpu, "What is the cat called?", files=[document])
    answer = page.answered(chat)
    (source,) = answer["sources"]
    assert SECRET in " ".join(source["document"])
    assert len(since.of(APP, "embedding", len(read) + 1)) > len(read)  # the question as well
    assert since.of(APP, "chat")[-1]["status"] == 200


def test_what_is_spoken_and_heard_goes_to_our_models_w5(
    page: Page, site: Site, since: Since
) -> None:
    spoken = page.http.post("/api/v1/audio/speech", json={"input": SENTENCE, "voice": "alloy"})
    assert spoken.status_code == 200, spoken.text
    assert len(spoken.content) > 10
    (line,) = since.of(APP, "speech")
    assert (line["asked"], line["status"]) == ("tts-1", 200)
    understands = site.catalogue.understands
    sound = ("said.mp3", spoken.content, "audio/mpeg") if understands else tone_file()
    heard = page.http.post("/api/v1/audio/transcriptions", files={"file": sound})
    assert heard.status_code == 200, heard.text
    words = set(re.findall(r"\w+", heard.json()["text"].lower()))
    assert len(words & WORDS) >= 3 if understands else words
    (line,) = since.of(APP, "transcription")
    assert (line["asked"], line["status"]) == ("whisper-1", 200)


def tone_file() -> tuple[str, bytes, str]:
    """Return a second of sound as a form has it."""
    return ("said.wav", tone(), "audio/wav")


def test_it_reads_our_list_of_voices_w6(page: Page, site: Site) -> None:
    """It asks without a key, which a site may allow (gateway_voices_without_key)."""
    ours = httpx.get(f"{site.url}/v1/audio/voices").json()["voices"]
    assert not {voice["id"] for voice in ours} <= ITS_OWN
    answer = page.http.get("/api/v1/audio/voices")
    shown = {voice["id"] for voice in answer.json()["voices"]}
    assert shown == {voice["id"] for voice in ours}
