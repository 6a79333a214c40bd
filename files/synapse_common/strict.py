"""The base of every configuration: nothing unknown, nothing converted, nothing infinite."""

from __future__ import annotations

from datetime import date, datetime
from ipaddress import ip_network
from typing import Annotated, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Item = TypeVar("Item")


class Strict(BaseModel):
    """What a person wrote, frozen: a typo is a fault, "8000" is no number and true is no 1."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    what: ClassVar[str] = ""
    """What an entry of a list is called in a sentence about it, such as `model`."""


def _address(url: str) -> str:
    try:
        address = urlsplit(url)
        sound = bool(address.hostname) and address.port != 0
    except ValueError:  # of a host or port that cannot be
        sound = False
    if not sound:
        raise ValueError(f'"{url}" is not valid; write {URL_HINT}')
    return url


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError(f'"{text}" is not valid; write {NETWORK_HINT}') from None
    return text


def day_of(written: object) -> date:
    """Return the day that a text says, or that YAML has made of it already."""
    if isinstance(written, date) and not isinstance(written, datetime):
        return date(written.year, written.month, written.day)
    try:
        if isinstance(written, str):
            return date.fromisoformat(written)
    except ValueError:
        pass
    raise ValueError(f'"{written}" is no day; write one such as 2027-01-31')


NETWORK_HINT = "an address or a network such as 10.42.0.0/16"
Network = Annotated[str, AfterValidator(_network)]
URL_HINT = "an address such as http://host:8000"
Url = Annotated[
    str,
    Field(pattern=r"^https?://[^\s/]+(/\S*)?$", json_schema_extra={"hint": URL_HINT}),
    AfterValidator(_address),
]

# A list in YAML, which Python keeps as a tuple: frozen like all around it.
Listed = Annotated[tuple[Item, ...], Field(strict=False)]

Day = Annotated[date, BeforeValidator(day_of)]
Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
