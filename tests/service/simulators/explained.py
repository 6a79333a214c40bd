"""Where the simulator may answer otherwise than the recorded server, each with its reason.

What both make up anew every time (ids, times, builds, folders) is replaced in the recordings.
"""

from vllm_recorder.comparing import Explained

_WORDS = "the simulator says other words"
_TOKENS = "the simulator counts words, not tokens"
_NUMBERS = "the simulator numbers words, not tokens"
_VECTORS = "the simulator makes other vectors, shorter ones, and other scores of them"
_UNION = "vLLM lists every form that it tried, the simulator says what is wrong"
_OTHER_END = "how far the words go until one stops them depends on the words"
_CUT = "how far an answer comes until it is cut depends on the moment"
_NO_END = "the recorded model, of random weights, never ends a call that it has to make"
_DEMANDED = [f"chat: tools, {which}, without thinking" for which in ("required", "named")]

EXPLAINED = [
    *(
        Explained(f"*.{field}", _WORDS)
        for field in ("content", "reasoning", "text", "thinking", "delta", "token", "logprob")
    ),
    Explained("*.bytes", _WORDS, free=True),
    *(
        Explained(f"*.logprobs.{field}", _WORDS, case="completion: logprobs*", free=True)
        for field in ("text_offset", "tokens", "token_logprobs", "top_logprobs")
    ),
    *(Explained(f"*.{ids}", _NUMBERS, free=True) for ids in ("token_ids", "prompt_token_ids")),
    *(Explained(f"*.{count}_tokens", _TOKENS) for count in ("prompt", "total", "input")),
    Explained("*.sequence_number", _TOKENS),
    Explained("json.context_management.original_input_tokens", _TOKENS),
    Explained("json.count", _TOKENS, case="*tokenize*"),
    Explained("json.tokens", _NUMBERS, case="*tokenize*", free=True),
    Explained("json.prompt", _NUMBERS, case="POST /detokenize"),
    *(
        Explained(path, _VECTORS)
        for path in (
            "json.data.*.embedding.*",
            "json.data.*.embedding",
            "json.data.*.score",
            "json.data.*.data.*",
            "json.data.*.probs.*",
            "json.results.*.relevance_score",
            "json.results.*.index",
            "bytes",
        )
    ),
    *(
        Explained("json.usage.*_tokens", _OTHER_END, case=case)
        for case in ("chat: max_tokens is null", "chat: one stop", "chat: max_tokens leave no room")
    ),
    Explained("*usage*_tokens", _TOKENS, case="chat: tools, written*"),
    *(
        Explained("*usage*_tokens", _TOKENS, case=case)
        for case in ("response: tool, written*", "response: JSON by a schema*")
    ),
    Explained("*usage*_tokens", _CUT, case="cut: *"),
    Explained(
        "events.2.choices.0.delta",
        "the last words may come together with the reason",
        case="cut: chat, stream, running, *",
        free=True,
    ),
    Explained(
        "*.choices.0.stop_reason",
        "the recorded model has several tokens that end an answer",
        case="chat: tools, written*",
        free=True,
    ),
    *(
        Explained(path, _NO_END, case=case)
        for case in _DEMANDED
        for path in ("*.arguments", "*.finish_reason", "*.completion_tokens")
    ),
    *(Explained("events.[234]*", _NO_END, case=f"{case}, stream", free=True) for case in _DEMANDED),
    *(
        Explained(path, _NO_END, case="message: tool*", free=True)
        for path in ("json.content.0.input", "*.partial_json", "*.stop_reason", "*.output_tokens")
    ),
    *(
        Explained("json.error.message", _UNION, case=f"chat: {case}")
        for case in ("content is a number", "content is null", "unknown response_format")
    ),
    *(
        Explained("json.error.message", _UNION, case=case)
        for case in (
            "embedding: no input",
            "embedding: input is a number",
            "embedding: unknown encoding_format",
            "rerank: query is a number",
            "score: no text_2",
        )
    ),
    Explained(
        "json.error.message",
        "vLLM adds a field of its own before it counts them",
        case="response: no input",
    ),
]
