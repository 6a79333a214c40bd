"""Which addresses and methods there are."""

from vllm_recorder.battery.case import MODEL, Case, Kind, get, hello, send

CHAT = "/v1/chat/completions"
PATHS = [
    *("/health", "/ping", "/version", "/load", "/metrics", "/v1/models", f"/v1/models/{MODEL}"),
    *("/is_sleeping", "/is_paused", "/server_info", "/docs", "/openapi.json", "/", "/nope"),
    *("/v1/nope", "/metrics/", "/tokenizer_info", "/kv_event_sources", "/v1/responses/resp_x"),
]
WRONG_METHODS = [
    *(("GET", "/sleep"), ("GET", "/wake_up"), ("POST", "/health"), ("GET", CHAT)),
    *(("POST", "/v1/models"), ("HEAD", "/health"), ("HEAD", "/v1/models")),
]
PREFLIGHT = {"origin": "http://x", "access-control-request-method": "POST"}


def cases(kind: Kind) -> list[Case]:
    """Return them for any engine."""
    addresses = [
        *map(get, PATHS),
        *(Case(f"{method} {path}", method, path) for method, path in WRONG_METHODS),
        Case("preflight", "OPTIONS", CHAT, headers=PREFLIGHT),
        send("/ping", raw=b""),
        send("/tokenize", {"model": MODEL, "prompt": "Hello you"}),
        send("/detokenize", {"model": MODEL, "tokens": [40, 50]}),
        send("/v1/audio/transcriptions", {"model": MODEL}),
        send("/v1/audio/speech", {"model": MODEL, "input": "x", "voice": "y"}),
    ]
    if kind != "generate":
        return addresses
    return [
        *addresses,
        send("/invocations", hello()),
        send("/tokenize", _talk(), name="tokenize chat"),
    ]


def _talk() -> dict[str, object]:
    return {"model": MODEL, "messages": hello()["messages"]}
