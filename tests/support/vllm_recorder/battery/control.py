"""The development mode's routes on an idle engine; they leave it awake."""

from vllm_recorder.battery.case import Case, get, send

CASES: list[Case] = [
    send("/reset_prefix_cache", raw=b""),
    send("/reset_mm_cache", raw=b""),
    send("/collective_rpc", {}),
    send("/collective_rpc", raw=b"{", name="collective_rpc: cut JSON"),
    send("/abort_requests", {}),
    send("/sleep?level=3", name="sleep: level 3"),
    send("/sleep?mode=now", name="sleep: mode now"),
    send("/pause?mode=now", name="pause: mode now"),
    send("/pause?mode=keep", name="pause: keep"),
    get("/is_paused", "is_paused: while paused"),
    get("/is_sleeping", "is_sleeping: while paused"),
    send("/resume", name="resume"),
    send("/sleep?level=1&mode=wait", name="sleep: level 1"),
    send("/sleep?level=1&mode=wait", name="sleep: again"),
    get("/is_sleeping", "is_sleeping: while asleep"),
    get("/health", "health: while asleep"),
    get("/v1/models", "models: while asleep"),
    send("/wake_up?tags=weights", name="wake_up: one tag"),
    send("/wake_up?tags=nope", name="wake_up: unknown tag"),
    send("/wake_up", name="wake_up: the rest"),
    send("/wake_up", name="wake_up: again"),
    get("/is_sleeping", "is_sleeping: awake again"),
    get("/metrics", "metrics: in the end"),
]
