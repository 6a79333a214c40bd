"""What a user may write into the three lists: models by engine, aliases, applications."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from synapse_common.references import Refers
from synapse_common.strict import Count, Listed, Positive, Strict, Text

Kind = Literal["chat", "embedding", "transcription", "speech"]
KINDS: tuple[str, ...] = get_args(Kind)
# What each engine can do; the first is meant where an entry does not say it.
ENGINE_KINDS: dict[str, tuple[str, ...]] = {
    "vllm": ("chat", "embedding"),
    "ollama": ("chat", "embedding"),
    "speaches": ("transcription",),
    "piper": ("speech",),
    "openai": KINDS,
}
ENGINES = tuple(ENGINE_KINDS)
DNS_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
ALL_MODELS = "*"

MayUse = Annotated[Text, Refers(("synapse_models", "synapse_aliases"), also=(ALL_MODELS,))]
Name = Annotated[Text, Field(json_schema_extra={"pattern": f"^{DNS_LABEL}$"})]


class Model(Strict):
    """One model; which further keys it has depends on its engine."""

    what: ClassVar[str] = "model"

    name: Name = Field(description="public name, a DNS label: what applications ask for")
    source: Text = Field(
        description="ollama: name in the Ollama library, or file:name.gguf; vllm and speaches: "
        "Hugging Face id; piper: the voice for clients that name none; openai: the provider's name"
    )
    kind: Kind = Field("chat", description="what it does; left out: the first kind of its engine")
    fallbacks: Listed[Text] = Field(
        (), description="models of the same kind that answer when this one cannot, in this order"
    )


class OnDisk(Model):
    """A model whose files Synapse keeps."""

    disk_gib: Positive | None = Field(
        None,
        description="size on disk; checked before a download starts "
        "(speech models: the size is read from Hugging Face)",
    )


class WithContext(Model):
    """A model that reads text."""

    context: Count | None = Field(
        None,
        description="tokens a request and its answer may have together; "
        "left out: the engine decides",
    )
    engine_args: dict[str, Any] = Field(
        {},
        description="passed to the engine: ollama takes Modelfile parameters, template and system; "
        "vllm the options of `vllm serve` without dashes (true: a bare option, a list: several "
        "words, a mapping: JSON; max-num-seqs: requests answered at once, 16 when left out)",
    )


class VllmModel(OnDisk, WithContext):
    """A model on the GPU."""

    engine: Literal["vllm"] = Field(description="what serves it")
    vram_gib: Positive = Field(
        description="GPU memory that it takes while awake, all of it, measured"
    )
    kv_cache_gib: Positive = Field(
        description="the part of vram_gib that holds the contexts; the rest are weights and "
        "working memory"
    )
    environment: dict[str, Any] = Field(
        {}, description="further environment variables of the engine"
    )


class OllamaModel(OnDisk, WithContext):
    """A model on the CPU."""

    engine: Literal["ollama"] = Field(description="what serves it")


class Listening(Model):
    """A model that may understand spoken languages."""

    languages: Listed[Text] = Field(
        (),
        description="languages it understands; others are refused; left out: those of Whisper "
        "(of a model whose name ends in .en English alone); of openai: the provider decides",
    )


class SpeachesModel(OnDisk, Listening):
    """A model that turns speech into text."""

    engine: Literal["speaches"] = Field(description="what serves it")
    kind: Kind = Field("transcription", description=Model.model_fields["kind"].description)


class PiperModel(OnDisk):
    """A model that turns text into speech."""

    engine: Literal["piper"] = Field(description="what serves it")
    kind: Kind = Field("speech", description=Model.model_fields["kind"].description)
    voices: dict[str, Any] = Field(
        {},
        description="names that clients use, each with a voice of Piper; name#3 is speaker 3, "
        "counted from 0, of a voice with several; a fallback takes over for the names it has too",
    )


class OpenaiModel(WithContext, Listening):
    """A model at any OpenAI-compatible address outside."""

    engine: Literal["openai"] = Field(description="what serves it")
    base_url: Annotated[
        str,
        Field(
            pattern=r"^https?://[^\s/]+(/\S*)?$",
            json_schema_extra={"hint": "an address such as https://api.example.com/v1"},
        ),
    ] = Field(description="where it is, such as https://api.example.com/v1")
    api_key: Text | None = Field(
        None, description="entry of the provider-keys Secret; left out: no key"
    )


AnyModel = Annotated[
    VllmModel | OllamaModel | SpeachesModel | PiperModel | OpenaiModel,
    Field(discriminator="engine"),
]
MODEL_TYPES: dict[str, type[Model]] = {
    "vllm": VllmModel,
    "ollama": OllamaModel,
    "speaches": SpeachesModel,
    "piper": PiperModel,
    "openai": OpenaiModel,
}


class Alias(Strict):
    """A further name for a model."""

    what: ClassVar[str] = "alias"

    name: Name = Field(description="what applications ask for, a DNS label")
    model: Text = Field(description="who answers: a name from synapse_models")


class App(Strict):
    """An application, which gets a key of its own."""

    what: ClassVar[str] = "app"

    name: Name = Field(description="name of the application, a DNS label")
    models: Annotated[Listed[MayUse], Field(min_length=1)] = Field(
        description='models and aliases that it may use; "*" allows all'
    )
    requests_per_minute: Count | None = Field(None, description="left out: no limit")
    tokens_per_minute: Count | None = Field(None, description="left out: no limit")
    parallel_requests: Count | None = Field(
        None, description="requests at the same time; left out: no limit"
    )
    priority: Literal["interactive", "batch"] = Field(
        "interactive", description="batch waits while interactive requests want the GPU"
    )
    max_wait_s: Positive | None = Field(
        None,
        description="longest wait for the GPU before a fallback answers, in seconds; "
        "left out: the arbiter decides",
    )
