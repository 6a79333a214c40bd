"""What a user may write into the three lists: models by engine, aliases, applications."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Union

from pydantic import Field, create_model

from synapse_common.engines import CONCURRENCY, ENGINES, LITELLM, Capability, EngineType, Kind
from synapse_common.people import PersonFrom
from synapse_common.presets import Parameters
from synapse_common.price import Price
from synapse_common.references import Refers
from synapse_common.strict import Count, Day, Listed, Positive, Strict, Text

DNS_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
ALL_MODELS = "*"
TASKS_MODEL = "fast"
"""What an application for another's tasks may use where its entry does not say it."""

MayUse = Annotated[Text, Refers(("synapse_models", "synapse_aliases"), also=(ALL_MODELS,))]
Name = Annotated[Text, Field(json_schema_extra={"pattern": f"^{DNS_LABEL}$"})]


class Model(Strict):
    """One model; which further keys it has depends on its engine."""

    what: ClassVar[str] = "model"

    name: Name = Field(description="public name, a DNS label: what applications ask for")
    source: Text = Field(
        description="ollama: name in the Ollama library, or file:name.gguf; vllm and speaches: "
        "Hugging Face id; piper: the voice for clients that name none; openai: the provider's "
        "name; litellm: LiteLLM's name of the provider and the provider's of the model, such as "
        "anthropic/claude-sonnet-4-5"
    )
    kind: Kind = Field("chat", description="what it does; left out: the first kind of its engine")
    fallbacks: Listed[Text] = Field(
        (), description="models of the same kind that answer when this one cannot, in this order"
    )


Address = Annotated[
    str,
    Field(
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        json_schema_extra={"hint": "an address such as https://api.example.com/v1"},
    ),
]

# The keys that only some engines take; an engine type says in the registry which.
FIELDS: dict[str, tuple[Any, Any]] = {
    "disk_gib": (
        Positive | None,
        Field(
            None,
            description="size on disk; checked before a download starts "
            "(speech models: the size is read from Hugging Face)",
        ),
    ),
    "context": (
        Count | None,
        Field(
            None,
            description="tokens a request and its answer may have together; "
            "left out: the engine decides",
        ),
    ),
    "capabilities": (
        Listed[Capability] | None,
        Field(
            None,
            description="what a chat model can do beyond text; what vllm's options tell need not "
            "be named. vision must be: pictures go to no other model. Of the rest an absent list "
            "means that nobody knows, and a fallback is asked; one that is known to lack it is not",
        ),
    ),
    "engine_args": (
        dict[str, Any],
        Field(
            {},
            description="passed to the engine: ollama takes Modelfile parameters, template and "
            "system; vllm the options of `vllm serve` without dashes (true: a bare option, a list: "
            "several words, a mapping: JSON; max-num-seqs: requests answered at once, "
            f"{CONCURRENCY} when left out)",
        ),
    ),
    "vram_gib": (
        Positive,
        Field(description="GPU memory that it takes while awake, all of it, measured"),
    ),
    "kv_cache_gib": (
        Positive,
        Field(
            description="the part of vram_gib that holds the contexts; the rest are weights and "
            "working memory"
        ),
    ),
    "loading_gib": (
        Positive | None,
        Field(
            None,
            description="GPU memory that it takes while it loads, measured; left out: estimated",
        ),
    ),
    "environment": (
        dict[str, Any],
        Field({}, description="further environment variables of the engine"),
    ),
    "languages": (
        Listed[Text],
        Field(
            (),
            description="languages it understands; others are refused; left out: those of Whisper "
            "(of a model whose name ends in .en English alone); of openai: the provider decides",
        ),
    ),
    "voices": (
        dict[str, Any],
        Field(
            {},
            description="names that clients use, each with a voice of Piper; name#3 is speaker 3, "
            "counted from 0, of a voice with several; a fallback takes over for the names it has "
            "too",
        ),
    ),
    "parameters": (
        dict[str, Any],
        Field(
            {},
            description="passed to LiteLLM as they are, in its litellm_params, such as api_version "
            "or vertex_project; {secret: NAME} stands for this entry of the provider-keys Secret",
        ),
    ),
    "price": (
        Price | None,
        Field(
            None,
            description="what it takes; left out: LiteLLM's own list of prices tells it",
        ),
    ),
    "leaves": (
        bool | None,
        Field(
            None,
            description="whether its requests leave the house, where only applications with "
            "may_leave reach it; left out: they do, unless base_url is a private address or a name "
            "inside the cluster",
        ),
    ),
    "base_url": (
        Address,
        Field(description="where it is, such as https://api.example.com/v1"),
    ),
    "api_key": (
        Text | None,
        Field(None, description="entry of the provider-keys Secret; left out: no key"),
    ),
}

# What a key means for one engine, where it differs.
DIFFERING: dict[tuple[str, str], tuple[Any, Any]] = {
    (LITELLM.name, "base_url"): (
        Address | None,
        Field(None, description="where it is, unless LiteLLM knows it"),
    )
}


def _model_type(engine: EngineType) -> type[Model]:
    """Return the entry of a model of this engine."""
    kind = Field(engine.kinds[0], description=Model.model_fields["kind"].description)
    fields: dict[str, Any] = {
        "engine": (Literal[engine.name], Field(description="what serves it")),
        "kind": (Kind, kind),
        **{name: DIFFERING.get((engine.name, name), FIELDS[name]) for name in engine.fields},
    }
    name = f"{engine.name.capitalize()}Model"
    return create_model(name, __base__=Model, __doc__=engine.title, **fields)


MODEL_TYPES: dict[str, type[Model]] = {name: _model_type(one) for name, one in ENGINES.items()}
AnyModel: Any = Annotated[Union[*MODEL_TYPES.values()], Field(discriminator="engine")]


NONE: dict[str, Any] = {"default": {}}
"""What the default of a mapping of optional keys looks like to a user."""


class Alias(Strict):
    """A further name for a model."""

    what: ClassVar[str] = "alias"

    name: Name = Field(description="what applications ask for, a DNS label")
    model: Text = Field(description="who answers: a name from synapse_models")
    parameters: Parameters = Field(
        Parameters(),
        description="what counts unless the client says otherwise",
        json_schema_extra=NONE,
    )
    fixed: Parameters = Field(
        Parameters(), description="what counts whatever the client says", json_schema_extra=NONE
    )


class App(Strict):
    """An application, which gets a key of its own."""

    what: ClassVar[str] = "app"

    name: Name = Field(description="name of the application, a DNS label")
    models: Annotated[Listed[MayUse], Field(min_length=1)] = Field(
        (),
        description='models and aliases that it may use; "*" allows all; may be left out beside '
        f"tasks_of alone: {TASKS_MODEL}",
    )
    lists: Listed[MayUse] = Field(
        (),
        description="names that its list of models shows, of those that it may use; left out: "
        'those in models; "*": fallbacks and what stands behind an alias too',
    )
    tasks_of: Annotated[Text, Refers(("synapse_apps",))] | None = Field(
        None,
        description="the application whose client uses this one's key for what nobody waits for, "
        "such as titles: of priority batch, with the requests_per_minute, tokens_per_minute, "
        "parallel_requests, person_from and key_until of the other where it has none itself, and "
        "without its may_leave and monthly_usd",
    )
    may_leave: bool = Field(
        False, description="whether its requests may be answered by models outside the house"
    )
    monthly_usd: Positive | None = Field(
        None,
        description="what models outside may cost it in a calendar month, in US dollars; left "
        "out: no limit",
    )
    person_from: PersonFrom | None = Field(
        None,
        description="what tells the people behind it apart: user, the field of a request, or the "
        "name of a header, such as X-OpenWebUI-User-Id",
    )
    key_until: Day | None = Field(
        None, description="the last day of its key, such as 2027-01-31; left out: it has none"
    )
    requests_per_minute: Count | None = Field(None, description="left out: no limit")
    tokens_per_minute: Count | None = Field(None, description="left out: no limit")
    parallel_requests: Count | None = Field(
        None,
        description="requests to each model at the same time; left out: gateway_parallel_requests",
    )
    priority: Literal["interactive", "batch"] = Field(
        "interactive", description="batch waits while interactive requests want the GPU"
    )
    max_wait_s: Positive | None = Field(
        None,
        description="longest wait for the GPU before a fallback answers, in seconds; "
        "left out: the arbiter decides",
    )
