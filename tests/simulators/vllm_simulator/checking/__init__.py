"""What a request may say: its JSON, its fields, its values, each refused in vLLM's words."""

from vllm_simulator.checking.fields import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Fields,
    MessageRequest,
    PauseQuery,
    RerankRequest,
    ResponseRequest,
    ScoreRequest,
    SleepQuery,
)
from vllm_simulator.checking.reading import missing, read, read_object, read_query
from vllm_simulator.checking.values import (
    check_chat,
    check_length,
    check_model,
    check_parts,
    check_sampling,
    check_stops,
)

__all__ = [
    "ChatRequest",
    "CompletionRequest",
    "EmbeddingRequest",
    "Fields",
    "MessageRequest",
    "PauseQuery",
    "RerankRequest",
    "ResponseRequest",
    "ScoreRequest",
    "SleepQuery",
    "check_chat",
    "check_length",
    "check_model",
    "check_parts",
    "check_sampling",
    "check_stops",
    "missing",
    "read",
    "read_object",
    "read_query",
]
