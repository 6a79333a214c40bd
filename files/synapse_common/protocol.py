"""What our programs say to each other: header names, and the codes of the arbiter's refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping

REQUEST_ID = "x-request-id"
APP = "x-synapse-app"
PERSON = "x-synapse-person"
"""The hash of who is behind the application, where it says so."""
PRIORITY = "x-synapse-priority"
MAX_WAIT = "x-synapse-max-wait"
"""Seconds that a request may wait for the GPU."""
PING = "x-synapse-ping"
"""Seconds between two comments in a stream that waits for the GPU."""
MODEL = "x-synapse-model"
ENGINE = "x-synapse-engine"
"""With MODEL, who answered."""
OUTSIDE = "x-synapse-outside"
"""`true`: the request left the house for the model that answered, or for one that failed."""
IGNORED = "x-synapse-ignored"
"""The fields of a body that no engine was told of."""
WOKE = "x-synapse-woke"
WAITED = "x-synapse-waited"
SAMPLE_RATE = "x-synapse-sample-rate"
"""Samples in a second of the speech that follows."""


def comment(told: Mapping[str, str]) -> bytes:
    """Write what would stand in headers, had these not left already, as a comment of a stream."""
    return b": " + json.dumps(told).encode() + b"\n\n"


def commented(events: bytes) -> dict[str, str]:
    """Return what such comments among whole events tell."""
    told: dict[str, str] = {}
    for event in events.split(b"\n\n"):
        if event.startswith(b": {"):
            told |= json.loads(event[2:])
    return told


ARBITER_STATUS = {
    "invalid_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "path_not_found": 404,
    "model_not_found": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "conflict": 409,
    "answer_too_large": 502,
    "engine_aborted": 502,
    "engine_lost": 502,
    "answer_truncated": 502,
    "arbiter_full": 503,
    "drain_limit": 503,
    "gpu_pinned": 503,
    "gpu_released": 503,
    "engine_down": 503,
    "model_quarantined": 503,
    "queue_full": 503,
    "starting": 503,
    "stopping": 503,
    "wait_budget_spent": 503,
    "wait_exceeds_budget": 503,
    "engine_silent": 504,
}
"""The HTTP status of every code with which the arbiter refuses; docs/arbiter.md explains each."""
ARBITER_FAILURES = frozenset(code for code, status in ARBITER_STATUS.items() if status >= 500)
"""Those after which a fallback may answer."""
