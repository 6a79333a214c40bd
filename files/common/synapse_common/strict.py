"""The base of every configuration: nothing unknown, nothing converted, nothing infinite."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Strict(BaseModel):
    """What a person wrote, frozen: a typo is a fault, "8000" is no number and true is no 1."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True
    )

    what: ClassVar[str] = ""
    """What an entry of a list is called in a sentence about it, such as `model`."""


# A list in YAML, which Python keeps as a tuple: frozen like all around it.
Listed = Annotated[tuple[Item, ...], Field(strict=False)]

Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
