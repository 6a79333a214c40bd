"""The fields of requests with their types; fields that nobody knows are taken and ignored."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vllm_simulator import calling


class Fields(BaseModel):
    """What all requests have."""

    model_config = ConfigDict(extra="allow")

    model: str | None = None


class _Sampled(Fields):
    """How an answer is made."""

    temperature: float | None = None
    top_p: float | None = None
    stream: bool | None = False
    chat_template_kwargs: dict[str, Any] | None = None
    structured_outputs: dict[str, Any] | None = None

    @property
    def thinks(self) -> bool:
        """Tell whether the model may think first."""
        return (self.chat_template_kwargs or {}).get("enable_thinking") is not False

    @property
    def dictated(self) -> str | None:
        """Return the only text that a pattern of plain words leaves, or a schema's simplest."""
        pattern = (self.structured_outputs or {}).get("regex")
        if pattern is not None:
            return str(pattern).replace("\\n", "\n")
        return None if self.schema_asked is None else calling.fitting(self.schema_asked)

    @property
    def schema_asked(self) -> dict[str, Any] | None:
        """Return the schema that the answer has to fit."""
        return None


class _StreamOptions(BaseModel):
    include_usage: bool | None = False
    continuous_usage_stats: bool | None = False


class _Written(_Sampled):
    """What chat and completions share."""

    max_tokens: int | None = None
    n: int | None = 1
    seed: int | None = None
    stop: str | list[str] | None = None
    ignore_eos: bool = False
    return_token_ids: bool | None = False
    stream_options: _StreamOptions | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """List the texts that end the answer."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def usage(self) -> _StreamOptions:
        """Say when a stream tells its usage."""
        return self.stream_options or _StreamOptions()


class _JsonSchema(BaseModel):
    schema_: dict[str, Any] | None = Field(None, alias="schema")


class _ResponseFormat(BaseModel):
    type: Literal["text", "json_object", "json_schema", "structural_tag"]
    json_schema: _JsonSchema | None = None


class ChatRequest(_Written):
    """A conversation."""

    messages: list[Any]
    max_completion_tokens: int | None = None
    logprobs: bool | None = False
    top_logprobs: int | None = 0
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: _ResponseFormat | None = None

    @property
    def schema_asked(self) -> dict[str, Any] | None:
        """Return the schema that the answer has to fit."""
        form = self.response_format
        return form.json_schema.schema_ if form and form.json_schema else None


class CompletionRequest(_Written):
    """A text to continue, or several; as text or as tokens."""

    prompt: str | list[Any] | None = None
    max_tokens: int | None = 16
    logprobs: int | None = None


class ResponseRequest(_Sampled):
    """OpenAI's Responses."""

    input: str | list[Any]
    max_output_tokens: int | None = None
    background: bool | None = False
    previous_response_id: str | None = None
    tools: list[dict[str, Any]] = Field(default_factory=list)
    tool_choice: str | dict[str, Any] = "auto"
    text: dict[str, Any] | None = None

    @property
    def schema_asked(self) -> dict[str, Any] | None:
        """Return the schema that the answer has to fit."""
        schema = ((self.text or {}).get("format") or {}).get("schema")
        return schema if isinstance(schema, dict) else None


class MessageRequest(_Sampled):
    """Anthropic's Messages."""

    messages: list[Any]
    max_tokens: int
    stop_sequences: list[str] | None = None
    system: Any = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None


class EmbeddingRequest(Fields):
    """Texts that become vectors: as text, as tokens or as a conversation."""

    input: str | list[Any] | None = None
    messages: list[Any] | None = None
    encoding_format: Literal["float", "base64", "bytes", "bytes_only"] = "float"
    dimensions: int | None = None


class RerankRequest(Fields):
    """Documents that are put in order."""

    query: str
    documents: str | list[Any]
    top_n: int = Field(0, ge=0)


class ScoreRequest(Fields):
    """Texts that are compared, under any of four pairs of names."""

    queries: str | list[Any] | None = None
    documents: str | list[Any] | None = None
    items: str | list[Any] | None = None
    data_1: str | list[Any] | None = None
    data_2: str | list[Any] | None = None
    text_1: str | list[Any] | None = None
    text_2: str | list[Any] | None = None


class PauseQuery(BaseModel):
    """How to pause."""

    mode: Literal["abort", "wait", "keep"] = "abort"


class SleepQuery(PauseQuery):
    """How to sleep."""

    level: int = Field(1, ge=0, le=2)
