"""What a site fetches, as a table: how large each is, whether it is there, how long it takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_common.engines import OLLAMA, PIPER, SPEACHES, VLLM
from synapse_deploy.downloads.fetcher import Status
from synapse_ollama.board import THERE
from synapse_ollama.order import size_gib, starter_of
from synapse_ollama.plan import FILE_PREFIX, GIB
from synapse_ollama.progress import MIB

FETCHED = (OLLAMA.name, SPEACHES.name, PIPER.name, VLLM.name)
"""In this order: sound follows the first answer, and the GPU's models come last."""
IMAGE = "image"
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Download:
    """One thing to be fetched; None stands for what nobody knows."""

    what: str
    name: str
    gib: float | None
    is_there: bool | None = None
    is_first: bool = False


def models(catalogue: Iterable[Entry], status: Status | None) -> list[Download]:
    """Return the models of a catalogue in the order in which they come."""
    entries = [entry for entry in catalogue if _is_fetched(entry)]
    of_ollama = [entry for entry in entries if entry["engine"] == OLLAMA.name]
    starter = starter_of(of_ollama)
    there = {one.name for one in status.models if one.state == THERE} if status else set()

    def place(entry: Entry) -> tuple[bool, int, float]:
        return entry["name"] != starter, FETCHED.index(entry["engine"]), size_gib(entry)

    return [
        Download(
            f"model of {entry['engine']}",
            entry["name"],
            entry.get("disk_gib"),
            (entry["name"] in there) if status and entry in of_ollama else None,
            entry["name"] == starter,
        )
        for entry in sorted(entries, key=place)
    ]


def images(
    names: Mapping[str, str], sizes_gib: Mapping[str, float], on_node: Collection[str] | None
) -> list[Download]:
    """Return the images by who uses them; one image of several is named once.

    `sizes_gib`: of images by their names; `on_node`: what a node lists, None where there is none.
    """
    users: dict[str, list[str]] = {}
    for user, image in names.items():
        users.setdefault(image, []).append(user)
    return [
        Download(
            IMAGE,
            ", ".join(of),
            sizes_gib.get(image),
            None if on_node is None else _listed_as(image) in on_node,
        )
        for image, of in users.items()
    ]


def _listed_as(image: str) -> str:
    """Return an image's name as a node lists it: with its digest, where it has one, or its tag."""
    name, at, digest = image.partition("@")
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}" if at else name


def lines(found: Iterable[Download], status: Status | None, free_bytes: int | None) -> list[str]:
    """Return the table, with what nobody knows yet named as such."""
    found = list(found)
    rate = status.rate_bytes_s if status else None
    width = max((len(one.name) for one in found), default=0)
    rows = [_row(one, width, rate) for one in found]
    return [*rows, "", _sum(found, rate), _room(found, free_bytes)]


def _row(one: Download, width: int, rate: float | None) -> str:
    size = f"{one.gib:.1f} GiB" if one.gib else "not known"
    told = "is there" if one.is_there else _time(one.gib, rate) if one.what != IMAGE else ""
    first = "comes first" if one.is_first and not one.is_there else ""
    words = ", ".join(word for word in (first, told) if word)
    return f"{one.what:<17} {one.name:<{width}}  {size:>10}  {words}".rstrip()


def _time(gib: float | None, rate: float | None) -> str:
    if not rate or not gib:
        return ""
    minutes = gib * GIB / rate / 60
    return f"{minutes:.0f} min" if minutes >= 1 else "under a minute"


def _sum(found: list[Download], rate: float | None) -> str:
    left = [one for one in found if not one.is_there and one.what != IMAGE]
    gib = sum(one.gib or 0 for one in left)
    if not rate:
        return (
            f"Models still to come: {gib:.1f} GiB. How long that takes is not known until a first "
            "GiB was fetched."
        )
    return (
        f"Models still to come: {gib:.1f} GiB, {_time(gib, rate)} at {rate / MIB:.0f} MiB/s, as "
        "measured. Of models of sound and the GPU it is not known here which are there."
    )


def _room(found: list[Download], free_bytes: int | None) -> str:
    if free_bytes is None:
        return "Room for the models of ollama: not known before its volume exists."
    free = free_bytes / GIB
    left = sum(
        one.gib or 0 for one in found if one.is_there is False and one.what.endswith(OLLAMA.name)
    )
    if left > free:
        return (
            f"Room for the models of ollama: {free:.1f} GiB are free, and {left:.1f} GiB are still "
            "to come: what does not fit is named, all else is fetched."
        )
    return f"Room for the models of ollama: {free:.1f} GiB are free for {left:.1f} GiB."


def _is_fetched(entry: Entry) -> bool:
    return entry["engine"] in FETCHED and not str(entry["source"]).startswith(FILE_PREFIX)
