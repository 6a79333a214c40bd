"""Raw completions."""

from typing import Any

from vllm_recorder.battery.case import MODEL, STOPS, TOO_LONG, Case
from vllm_recorder.battery.streams import USAGE


def completion(name: str, **fields: Any) -> Case:
    """Ask for the continuation of a text; a field that is ... is left out."""
    body = {"model": MODEL, "prompt": "Hello", "max_tokens": 4, "temperature": 0, **fields}
    given = {key: value for key, value in body.items() if value is not ...}
    return Case(f"completion: {name}", "POST", "/v1/completions", given)


CASES = [
    completion("plain"),
    completion("stream", stream=True, stream_options=USAGE),
    completion("two prompts", prompt=["Hello", "World"], max_tokens=2),
    completion("tokens", prompt=[5, 6, 7], max_tokens=2),
    completion("logprobs", logprobs=2, max_tokens=2),
    completion("logprobs, stream", logprobs=2, max_tokens=2, stream=True),
    completion("token ids", return_token_ids=True, max_tokens=2),
    completion("default max_tokens", max_tokens=..., ignore_eos=True),
    completion("no prompt", prompt=..., temperature=...),
    completion("empty prompt", prompt="", temperature=...),
    completion("too long", prompt=TOO_LONG, temperature=...),
    completion("five stops", stop=STOPS),
    completion("unknown model", model="nope"),
]
