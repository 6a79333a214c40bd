"""What the gateway serves and to whom, read once from its configuration file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from synapse_common import permission, presets, reading
from synapse_common.engines import ENGINES, Capability, EngineName, EngineType, Kind
from synapse_common.people import PersonFrom
from synapse_common.permission import EVERYTHING
from synapse_common.place import Path as Place
from synapse_common.presets import Parameters, Target
from synapse_common.price import Price
from synapse_common.references import Refers
from synapse_common.secrets import MASTER_ENTRY
from synapse_common.strict import Count, Day, Listed, Positive, Strict, Text, Url
from synapse_gateway.limits import Limits
from synapse_gateway.settings import Settings

MIB = 1024**2

ConfigError = reading.ConfigError

ModelName = Annotated[Text, Refers(("models",))]
AnyName = Annotated[Text, Refers(("models", "aliases"), also=(EVERYTHING,))]
Language = Annotated[
    str, Field(pattern="^[a-z]{2,3}$", json_schema_extra={"hint": "a code such as en"})
]
Variable = Annotated[
    str, Field(pattern="^([A-Z_][A-Z0-9_]*)?$", json_schema_extra={"hint": "capitals, such as KEY"})
]


class Model(Strict):
    """One model and how the gateway reaches it."""

    what: ClassVar[str] = "model"

    name: Text
    kind: Kind
    engine: EngineName
    """What serves it: for logs, metrics and the response header."""
    fallbacks: Listed[ModelName] = ()
    via_arbiter: bool = False
    """It is reached through the arbiter, which wants to know who asks and how urgently."""
    url: Url
    """Where it is served, with /v1."""
    served_name: Text
    """What it is called there."""
    via_litellm: bool = False
    """The address is LiteLLM's, which translates for it and would walk the chain itself."""
    key_variable: Variable = ""
    """The environment variable with the key for that address; empty: it wants none."""
    context: Count | None = None
    """Tokens that it reads and writes in one request; None: not known here."""
    capabilities: Listed[Capability] | None = None
    """What it can do beyond text; None: nobody knows."""
    languages: Listed[Language] = ()
    """What a transcriber understands, as ISO 639-1 codes; empty: not known here."""
    leaves: bool = False
    """Whether its requests leave the house."""
    price: Price | None = None
    """What the site says that it takes; None: LiteLLM's list tells it, if anything does."""
    listed_as: str = ""
    """What LiteLLM's list of prices calls it; empty: it is not looked for there."""
    voices: Listed[Text] = ()
    """The names of a speaking model's voices; empty: not known here."""

    def lacks(self, needed: Iterable[Capability]) -> set[Capability]:
        """Return what it is known not to do of this; that a model sees must be known."""
        lacking = set(needed) - set(self.capabilities or ())
        return lacking if self.capabilities is not None else lacking & {"vision"}

    @property
    def engine_type(self) -> EngineType:
        """Return what is known of its engine."""
        return ENGINES[self.engine]


class Translator(Strict):
    """LiteLLM, which translates between a client's dialect and an engine's."""

    url: Url
    """Where it is, with /v1."""
    key_variable: Variable = ""
    """The environment variable with its key, which opens the inner port too."""


class Alias(Strict):
    """One more name of a model."""

    what: ClassVar[str] = "alias"

    name: Text
    model: ModelName
    parameters: Parameters = Parameters()
    """What counts unless the client says otherwise."""
    fixed: Parameters = Parameters()
    """What counts whatever the client says."""

    @property
    def is_preset(self) -> bool:
        """Say whether it adds anything to requests."""
        return bool(self.parameters.given or self.fixed.given)


class App(Limits):
    """One application and what it may do."""

    what: ClassVar[str] = "app"

    name: Text
    models: Listed[AnyName]
    priority: Literal["interactive", "batch"] = "interactive"
    max_wait_s: Positive | None = None
    lists: Listed[AnyName] = ()
    """Names that its list of models shows; empty: those in `models`."""
    tasks_of: Annotated[Text, Refers(("apps",))] | None = None
    """Whose client uses its key for what nobody waits for: that client's settings name both."""
    may_leave: bool = False
    """Whether models outside the house may answer it."""
    monthly_usd: Positive | None = None
    """What models outside may cost it in a calendar month, in UTC."""
    person_from: PersonFrom | None = None
    """What tells the people behind it apart: `user` in the body, or the name of a header."""
    key_until: Day | None = None
    """The last day of its key, in UTC."""

    @field_validator("name")
    @classmethod
    def _not_the_operator(cls, name: str) -> str:
        if name == MASTER_ENTRY:
            raise ValueError(f'"{name}" is kept for the operator\'s key; choose another')
        return name


class Written(Strict):
    """The configuration file."""

    settings: Settings = Settings()
    translator: Translator | None = None
    models: Annotated[Listed[Model], Field(min_length=1)]
    aliases: Listed[Alias] = ()
    apps: Listed[App] = ()


@dataclass(frozen=True)
class Config:
    """The whole configuration, checked."""

    settings: Settings
    models: Mapping[str, Model]
    aliases: Mapping[str, str]
    apps: Mapping[str, App]
    permitted: Mapping[str, frozenset[str]]
    """Per application every name it may ask for."""
    listed: Mapping[str, frozenset[str]]
    """Those of them that its lists of models show."""
    withheld: Mapping[str, frozenset[str]]
    """Per application the names that it may not ask for because they lead out of the house."""
    presets: Mapping[str, Alias] = field(default_factory=dict)
    """The aliases that add something to requests."""
    translator: Translator | None = None
    """None: dialects that an engine lacks are refused."""

    @property
    def limits_money(self) -> bool:
        """Say whether there is a limit on what models outside may cost."""
        apps = self.apps.values()
        return self.settings.monthly_usd is not None or any(app.monthly_usd for app in apps)

    def resolve(self, name: str) -> Model | None:
        """Return the model behind a name or alias."""
        return self.models.get(self.aliases.get(name, name))

    def translated(self, model: Model) -> Model | None:
        """Return the same model as LiteLLM serves it; None where there is no LiteLLM."""
        if self.translator is None:
            return None
        there = {
            "url": self.translator.url,
            "served_name": model.name,
            "key_variable": self.translator.key_variable,
            "via_litellm": True,
            "via_arbiter": False,
        }
        return model.model_copy(update=there)

    def chain(self, model: Model, app: App | None) -> list[Model]:
        """Return the model and whoever may answer an application in its place, in order."""
        found: dict[str, Model] = {}
        waiting = [model.name]
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found[name] = self.models[name]
                waiting[:0] = found[name].fallbacks
        may_leave = app is not None and app.may_leave
        return [each for each in found.values() if may_leave or not each.leaves]


def load(path: Path) -> Config:
    """Read and check the file; raise ConfigError with every fault found."""
    return build(reading.load(path))


def build(raw: object) -> Config:
    """Make the configuration from plain data; raise ConfigError with every fault found."""
    written = reading.read(Written, raw, _between)
    models = {model.name: model for model in written.models}
    aliases = {alias.name: alias.model for alias in written.aliases}
    operator = App.model_construct(name=MASTER_ENTRY, models=(EVERYTHING,), may_leave=True)
    apps = {app.name: app for app in (*written.apps, operator)}
    fixed = {alias.name for alias in written.aliases if alias.fixed.given}
    fallbacks = {name: model.fallbacks for name, model in models.items()}
    outside = frozenset(
        name for name in (*models, *aliases) if models[aliases.get(name, name)].leaves
    )
    reached = {
        app.name: permission.reached(app.models, fallbacks, aliases, fixed) for app in apps.values()
    }
    withheld = {
        app.name: frozenset() if app.may_leave else reached[app.name] & outside
        for app in apps.values()
    }
    permitted = {name: names - withheld[name] for name, names in reached.items()}
    listed = {app.name: _listed(app, permitted[app.name]) for app in apps.values()}
    adding = {alias.name: alias for alias in written.aliases if alias.is_preset}
    return Config(
        written.settings,
        models,
        aliases,
        apps,
        permitted,
        listed,
        withheld,
        adding,
        written.translator,
    )


def _between(raw: Any) -> Iterator[tuple[Place, str]]:
    """Yield what would fail once a request comes, although each key on its own is right."""
    kinds = {name: model.get("kind") for name, _, model in reading.named(raw, "models")}
    for _, place, model in reading.named(raw, "models"):
        kind = model.get("kind")
        for number, name in reading.texts(model, "fallbacks"):
            other = kinds.get(name, kind)
            if other != kind:
                yield (*place, "fallbacks", number), f'"{name}" is of kind {other}, not {kind}'
    models = {name: model for name, _, model in reading.named(raw, "models")}
    for name, place, alias in reading.named(raw, "aliases"):
        if name in kinds:
            yield place, "a model has the same name; rename one of them"
        served = models.get(str(alias.get("model")))
        if served is not None:
            for inner, text in presets.faults(alias, _target(served)):
                yield (*place, *inner), text


def _target(model: Mapping[str, Any]) -> Target:
    told = model.get("capabilities")
    known = told if isinstance(told, list | tuple) else None
    return Target(str(model["name"]), model.get("kind"), known, model.get("context"))


def _listed(app: App, permitted: frozenset[str]) -> frozenset[str]:
    """A list shows what the entry names, and not who stands behind an alias or falls back."""
    names = app.lists or app.models
    return permitted if EVERYTHING in names else permitted.intersection(names)
