"""What a request may say: its JSON, its fields, its values, each refused in vLLM's words."""

from vllm_simulator.checking.fields import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Fields,
    MessageRequest,
    ResponseRequest,
    ScoreRequest,
)
from vllm_simulator.checking.reading import read, read_object
from vllm_simulator.checking.values import check_chat, check_length, check_model, check_sampling

__all__ = [
    "ChatRequest",
    "CompletionRequest",
    "EmbeddingRequest",
    "Fields",
    "MessageRequest",
    "ResponseRequest",
    "ScoreRequest",
    "check_chat",
    "check_length",
    "check_model",
    "check_sampling",
    "read",
    "read_object",
]
