"""Options of the role that are not in the gateway's own configuration, and what they may be."""

from __future__ import annotations

from pydantic import model_validator

from synapse_common.faults import SeveralError
from synapse_common.strict import Count, Positive, Strict


class Options(Strict):
    """How long LiteLLM waits for a backend, and what the pod may take."""

    timeout_s: Positive
    stream_timeout_s: Positive
    total_timeout_s: Positive
    keepalive_s: Positive
    cpu_cores: Positive
    memory_mib: Count

    @model_validator(mode="after")
    def _go_together(self) -> Options:
        """Refuse a silence that no request lives long enough for."""
        text = f"must not exceed litellm_total_timeout_s ({self.total_timeout_s:g})"
        waits = {"timeout_s": self.timeout_s, "stream_timeout_s": self.stream_timeout_s}
        found = [
            ((key,), f"{text}, not {wait:g}")
            for key, wait in waits.items()
            if wait > self.total_timeout_s
        ]
        if found:
            raise SeveralError(found)
        return self
