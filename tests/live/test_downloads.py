"""A download that fails keeps nothing back: the gateway answers, and the model is named."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from synapse_cli.cluster import Cluster
from synapse_common.engines import FETCHER, FETCHER_PORT

from .conftest import eventually
from .deploying import REPOSITORY, catalogue, environment, play, recap, with_catalogue

MODELS = ("--tags", "ollama,gateway")
GONE = "127.0.0.1:9/library/gone:1"  # nothing listens there
FAILS_WITHIN_S = 90


@pytest.fixture(scope="module", autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the testbed with the catalogue that it came with."""
    yield
    assert play(*MODELS).returncode == 0


def with_lost_model(tmp_path: Path, disk_gib: float) -> tuple[str, str]:
    """The catalogue with a model that nobody has; a small one is the first to be fetched."""
    lost = {"name": "lost", "engine": "ollama", "source": GONE, "disk_gib": disk_gib}
    return "-e", with_catalogue(tmp_path, synapse_models=[lost, *catalogue("models")])


def standing(cluster: Cluster, name: str) -> dict[str, Any]:
    """How the fetcher says that a model stands."""
    answer = cluster.get(FETCHER, FETCHER_PORT, "/status")
    models = json.loads(answer.body)["models"] if answer.status == 200 else []
    return next((one for one in models if one["name"] == name), {})


def ask(http: httpx.Client, model: str) -> int:
    """The status of one small request."""
    hello = [{"role": "user", "content": "hello"}]
    body = {"model": model, "messages": hello, "max_tokens": 4}
    return http.post("/v1/chat/completions", json=body).status_code


@pytest.mark.timeout(600)
def test_a_first_model_that_cannot_be_had_stops_no_play_and_is_named_at_the_end(
    cluster: Cluster, operator: httpx.Client, tmp_path: Path
) -> None:
    run = play(*MODELS, *with_lost_model(tmp_path, 0.01))
    assert run.returncode != 0
    assert f"model lost: cannot pull {GONE}: " in run.stdout
    assert "its one address is" in run.stdout, "the summary came all the same"
    assert recap(run)["failed"] == 1
    assert standing(cluster, "lost")["is_starter"]
    assert {ask(operator, name) for name in ("smollm2", "tiny-chat")} == {200}
    eventually(lambda: ask(operator, "lost") == 503, 30, "the gateway knows the model, 503")

    shown = subprocess.run(
        [sys.executable, "-m", "synapse_cli", "health"],
        cwd=REPOSITORY, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 1
    assert "missing: cannot pull" in shown.stdout


@pytest.mark.timeout(600)
def test_a_later_model_that_cannot_be_had_is_not_waited_for(
    cluster: Cluster, operator: httpx.Client, tmp_path: Path
) -> None:
    run = play(*MODELS, *with_lost_model(tmp_path, 50))
    assert "in the background" in run.stdout or "model lost: cannot pull" in run.stdout
    eventually(
        lambda: standing(cluster, "lost").get("state") == "failed", FAILS_WITHIN_S, "it fails"
    )
    assert ask(operator, "smollm2") == 200
    again = play(*MODELS, *with_lost_model(tmp_path, 50))
    assert again.returncode != 0
    assert recap(again)["changed"] == 0
