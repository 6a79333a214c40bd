"""The table of downloads: in the order in which they come, and honest about what nobody knows."""

from typing import Any

from synapse_deploy.downloads.fetcher import Status
from synapse_deploy.downloads.table import Download, images, lines, models
from synapse_ollama.board import THERE, Standing
from synapse_ollama.plan import GIB


def entry(name: str, gib: float | None, engine: str = "ollama", **given: Any) -> dict[str, Any]:
    return {
        "name": name, "engine": engine, "source": f"library/{name}", "kind": "chat",
        "disk_gib": gib, **given,
    }  # fmt: skip


CATALOGUE = [
    entry("big", 17, "vllm"),
    entry("large", 18),
    entry("small", 3.5),
    entry("own", 40, source="file:own.gguf"),
    entry("ears", 1.6, "speaches", kind="transcription"),
    entry("cloud", None, "openai"),
]
RATE = 10 * 2**20


def status(*there: str, rate: float | None = RATE) -> Status:
    found = tuple(Standing(name, name, THERE) for name in there)
    return Status(found, looks=1, rate_bytes_s=rate)


def text(found: Status | None, free_gib: float = 100) -> str:
    free_bytes = int(free_gib * GIB) if found else None
    return "\n".join(lines(models(CATALOGUE, found), found, free_bytes))


def test_what_is_fetched_stands_in_the_order_in_which_it_comes() -> None:
    assert [one.name for one in models(CATALOGUE, None)] == ["small", "large", "ears", "big"]


def test_sizes_and_times_at_the_measured_rate() -> None:
    table = text(status())
    assert "model of ollama   small     3.5 GiB  comes first, 6 min" in table
    assert "model of vllm     big      17.0 GiB  29 min" in table
    assert "40.1 GiB, 68 min at 10 MiB/s" in table


def test_before_anything_was_measured_no_time_is_told() -> None:
    table = text(status(rate=None))
    assert " min" not in table
    assert "is not known until a first GiB was fetched" in table


def test_what_is_there_is_told_and_not_counted() -> None:
    table = text(status("small"))
    assert "small     3.5 GiB  is there" in table
    assert "Models still to come: 36.6 GiB" in table
    assert "100.0 GiB are free for 18.0 GiB" in table


def test_what_does_not_fit_is_said_before_it_is_fetched() -> None:
    assert "10.0 GiB are free, and 21.5 GiB are still to come" in text(status(), free_gib=10)


def test_without_a_cluster_the_room_is_not_known() -> None:
    assert "not known before its volume exists" in text(None)


def test_an_image_of_several_is_named_once_and_an_unknown_size_is_not_made_up() -> None:
    found = images({"ollama": "a:1", "gateway": "b:1", "litellm": "b:1"}, {"a:1": 3.2}, None)
    assert found == [
        Download("image", "ollama", 3.2), Download("image", "gateway, litellm", None)
    ]  # fmt: skip
    assert lines(found, None, None)[1] == "image             gateway, litellm   not known"


def test_an_image_of_ones_own_has_no_size_of_ours() -> None:
    (found,) = images({"vllm": "lan:5000/vllm:v1"}, {"docker.io/vllm/vllm-openai:v1": 26.6}, None)
    assert found.gib is None


def test_an_image_that_a_node_lists_is_there() -> None:
    names = {"a": "lan:5000/a:1", "b": "x/b:2@sha256:12", "c": "x/c:3"}
    found = images(names, {}, {"lan:5000/a:1", "x/b@sha256:12", "x/c:4"})
    assert [one.is_there for one in found] == [True, True, False]
    told = lines(found, None, None)
    assert [line.endswith("is there") for line in told[:3]] == [True, True, False]
