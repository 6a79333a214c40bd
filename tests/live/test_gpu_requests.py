"""Who gets the GPU, from the side of those who ask: waking, changing over, falling back."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

from synapse_cli.cluster import Cluster

from .conftest import bring_in, log_line
from .gpu import MODELS, Gpu, ask, served
from .metrics import metric

EACH = 4


@pytest.fixture(autouse=True)
def settled(gpu: Gpu, http: httpx.Client) -> None:
    """Begin with gpu-chat on the GPU and nothing moving."""
    bring_in(http, "assistant", "gpu-chat")


def test_request_wakes_its_model_and_the_log_line_says_so(
    http: httpx.Client, cluster: Cluster
) -> None:
    answer = ask(http, "coder")
    line = log_line(cluster, answer.headers["x-request-id"])
    assert (line["asked"], line["served"], line["engine"]) == ("coder", "gpu-code", "vllm")
    assert (line["woke"], line["fallback"], line["reason"]) == (True, False, None)
    assert line["waited_s"] > 0
    again = log_line(cluster, ask(http, "coder").headers["x-request-id"])
    assert (again["served"], again["woke"]) == ("gpu-code", False)


def test_second_model_takes_the_gpu_and_the_first_sleeps(http: httpx.Client, gpu: Gpu) -> None:
    assert gpu.awake() == ["gpu-chat"]
    assert gpu.used_gib() == pytest.approx(gpu.held_gib())
    assert 24 < gpu.used_gib() < 32
    bring_in(http, "coder", "gpu-code")
    assert gpu.awake() == ["gpu-code"]
    assert gpu.used_gib() == pytest.approx(gpu.held_gib())
    assert 16 < gpu.used_gib() < 24


def test_two_applications_that_want_different_models_are_both_served(
    http: httpx.Client, agents: openai.OpenAI
) -> None:
    def of_agents(_number: int) -> str:
        hello = [openai.types.chat.ChatCompletionUserMessageParam(role="user", content="Hello")]
        return agents.chat.completions.create(model="agent", messages=hello).model

    with ThreadPoolExecutor(2 * EACH) as pool:
        ours = pool.map(lambda _: served(ask(http, "coder")), range(EACH))
        theirs = pool.map(of_agents, range(EACH))
        assert [*ours, *theirs] == ["gpu-code"] * EACH + ["gpu-agent"] * EACH


def test_who_cannot_wait_gets_the_small_models_answer_and_wakes_nothing(
    panel: httpx.Client, gpu: Gpu, cluster: Cluster
) -> None:
    before = gpu.wakes()
    assert served(ask(panel, "assistant")) == "gpu-chat"
    answer = ask(panel, "coder")
    line = log_line(cluster, answer.headers["x-request-id"])
    assert served(answer) == line["served"] == "tiny-chat"
    assert (line["fallback"], line["reason"]) == (True, "wait_exceeds_budget")
    assert line["tried"] == ["gpu-code", "tiny-chat"]
    assert gpu.wakes() == before


def test_the_arbiter_shows_the_metrics_of_every_engine_awake_or_asleep(cluster: Cluster) -> None:
    for model in MODELS:
        assert metric(cluster, "arbiter", "process_start_time_seconds", model=model) > 0
    assert metric(cluster, "arbiter", "synapse_arbiter_resident") == 1
