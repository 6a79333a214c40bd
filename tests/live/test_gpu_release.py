"""The GPU released, to a game say: everybody is answered by the CPU until it is back."""

from collections.abc import Iterator

import httpx
import pytest

from synapse_cli.cluster import Cluster

from .conftest import SETTLE_LIMIT_S, bring_in, eventually, log_line
from .gpu import Gpu, ask, served


@pytest.fixture(autouse=True)
def lent(gpu: Gpu, http: httpx.Client) -> Iterator[None]:
    """Release the GPU while gpu-chat is on it, and take it back afterwards."""
    bring_in(http, "assistant", "gpu-chat")
    gpu.order("release?seconds=600")
    yield
    gpu.order("reclaim")


def test_lent_gpu_is_empty_but_for_sleepers_and_everybody_falls_back(
    http: httpx.Client, panel: httpx.Client, gpu: Gpu, cluster: Cluster
) -> None:
    eventually(lambda: gpu.awake() == [], SETTLE_LIMIT_S, "an empty GPU")
    eventually(lambda: gpu.used_gib() < 4, SETTLE_LIMIT_S, "NVML to say so")
    before = gpu.wakes()
    answers = [ask(http, "assistant"), ask(http, "coder"), ask(panel, "assistant")]
    assert [served(answer) for answer in answers] == ["tiny-chat"] * 3
    line = log_line(cluster, answers[0].headers["x-request-id"])
    assert (line["asked"], line["fallback"], line["reason"]) == ("assistant", True, "gpu_released")
    assert gpu.wakes() == before


def test_gpu_that_is_taken_back_answers_again(http: httpx.Client, gpu: Gpu) -> None:
    eventually(lambda: gpu.awake() == [], SETTLE_LIMIT_S, "an empty GPU")
    gpu.order("reclaim")
    assert served(ask(http, "assistant")) == "gpu-chat"
    assert gpu.awake() == ["gpu-chat"]
