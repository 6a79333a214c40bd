"""Chat requests that are wrong, each in one way."""

from vllm_recorder.battery.case import (
    HELLO,
    MAX_MODEL_LEN,
    MODEL,
    STOPS,
    TOO_LONG,
    Case,
    hello,
    without,
)
from vllm_recorder.battery.chat import PLAIN, chat, said, written

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aaaa"}}
NOT_A_NUMBER = said("hi").replace(b'"max_tokens":3', b'"max_tokens":3,"temperature":NaN')
HUGE = 10**9

CASES: list[Case] = [
    chat("unknown model", hello(model="nope")),
    chat("model is a number", hello(model=5)),
    chat("no messages", {"model": MODEL}),
    chat("empty messages", hello(messages=[])),
    chat("messages are text", hello(messages="hi")),
    chat("content is a number", hello(messages=[{"role": "user", "content": 5}])),
    chat("content is null", hello(messages=[{"role": "user", "content": None}])),
    chat("picture", hello(messages=[{"role": "user", "content": [PICTURE]}])),
    chat("too long", hello(messages=[{**HELLO[0], "content": TOO_LONG}])),
    chat("stream too long", hello(messages=[{**HELLO[0], "content": TOO_LONG}], stream=True)),
    chat("stream of an unknown model", hello(model="nope", stream=True)),
    chat("max_tokens 0", hello(max_tokens=0)),
    chat("max_tokens -1", hello(max_tokens=-1)),
    chat("max_tokens too high", hello(max_tokens=HUGE)),
    chat("max_tokens leave no room", hello(max_tokens=MAX_MODEL_LEN)),
    chat("max_tokens with a fraction", hello(max_tokens=8.5)),
    chat(
        "max_completion_tokens too high",
        without(hello(max_completion_tokens=HUGE), "max_tokens"),
    ),
    chat("temperature -1", hello(temperature=-1)),
    chat("temperature is text", hello(temperature="hot")),
    chat("top_p 2", hello(top_p=2)),
    chat("no choices", hello(n=0)),
    chat("stream_options without stream", hello(stream_options={"include_usage": True})),
    chat("five stops", hello(stop=STOPS)),
    chat("unknown response_format", hello(response_format={"type": "yaml"})),
    written("cut JSON", b'{"model": '),
    written("list instead of an object", b"[1]"),
    written("no body", b""),
    written("no content type", PLAIN, content_type=""),
    written("content type text", PLAIN, content_type="text/plain"),
    written("content type form", PLAIN, content_type="application/x-www-form-urlencoded"),
    written("temperature NaN", NOT_A_NUMBER),
    written("broken UTF-8", said("hi\xff").replace(b"\xc3\xbf", b"\xff\xfe")),
    written("half a character", said("hi \\ud800")),
    written("deep JSON", b'{"a":' * 3000 + b"1" + b"}" * 3000),
]
