"""Where the simulator may answer otherwise than the recorded server, each with its reason.

What both make up anew every time (ids, times, builds, folders) is replaced in the recordings.
"""

from vllm_recorder.comparing import Explained

_WORDS = "the simulator says other words"
_TOKENS = "the simulator counts words, not tokens"
_NUMBERS = "the simulator numbers words, not tokens"
_UNION = "vLLM lists every form that it tried, the simulator says what is wrong"
_OTHER_END = "how far the words go until one stops them depends on the words"

EXPLAINED = [
    *(
        Explained(f"*.{field}", _WORDS)
        for field in ("reasoning", "text", "thinking", "delta", "token", "logprob")
    ),
    Explained("*.bytes", _WORDS, free=True),
    *(Explained(f"*.{count}_tokens", _TOKENS) for count in ("prompt", "total", "input")),
    Explained("json.context_management.original_input_tokens", _TOKENS),
    *(
        Explained("json.usage.*_tokens", _OTHER_END, case=case)
        for case in ("chat: max_tokens is null", "chat: one stop")
    ),
    Explained("json.usage.completion_tokens", _TOKENS, case="chat: tools, written"),
    Explained("json.count", _TOKENS, case="*tokenize*"),
    Explained("json.tokens", _NUMBERS, case="*tokenize*", free=True),
    Explained("json.prompt", _NUMBERS, case="POST /detokenize"),
    *(
        Explained("json.error.message", _UNION, case=f"chat: {case}")
        for case in ("content is a number", "content is null", "unknown response_format")
    ),
    Explained(
        "json.error.message",
        "vLLM adds a field of its own before it counts them",
        case="response: no input",
    ),
]

# Cases of which the simulator still owes the right answer: this has to become empty.
NOT_YET: dict[str, str] = {}
