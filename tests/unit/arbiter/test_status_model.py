"""The words of the status page: every decision the policy can take has a sentence."""

import json
from itertools import product

import orjson
import pytest

from synapse_arbiter.events.status_model import GpuStatus, Phase, Status, explain
from synapse_arbiter.policy.types import Action, Reason


@pytest.mark.parametrize(("action", "reason"), list(product(Action, Reason)))
def test_every_decision_has_a_sentence(action: Action, reason: Reason) -> None:
    sentence = explain(action, reason, "coder")
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert ("coder" in sentence) is (action is not Action.STAY)


def test_a_boot_without_a_known_engine_still_reads_well() -> None:
    assert explain(Action.BOOT, Reason.IDLE, None) == "An engine may start: nobody needs the GPU."


def test_a_status_is_plain_json() -> None:
    gpu = GpuStatus(32, None, None, None, True, None, None, None, None, None)
    text = orjson.dumps(Status(0.5, Phase.STARTING, gpu, []))
    assert json.loads(text)["phase"] == "starting"
    assert json.loads(text)["gpu"]["used_bytes"] is None
