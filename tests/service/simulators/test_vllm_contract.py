"""The simulator answers the battery as the recorded servers did, but for what is explained."""

import asyncio
from functools import cache
from typing import Any

import pytest

from vllm_recorder import FOLDER, Recording, battery, load, record
from vllm_recorder.comparing import Difference, differences
from vllm_simulator import GIB, MemoryGpu, Settings, Simulator, serve

from .conftest import QUICK
from .explained import EXPLAINED, NOT_YET

RECORDINGS = {path.stem: load(path) for path in sorted(FOLDER.glob("*.json"))}
CASES = [(name, case) for name, recording in RECORDINGS.items() for case in recording.answers]
# The recorded model never ends its thinking; it is slow enough that an answer can be cut.
SERVER: dict[str, Any] = {**QUICK, "tokens_per_s": 1000, "reasoning_tokens": 4000}


@cache
def simulated(name: str) -> Recording:
    """Record the simulator of the same version, asked the same."""
    recording = RECORDINGS[name]
    settings = Settings(
        model=recording.model,
        version=recording.version,
        kind=recording.kind,
        max_model_len=recording.max_model_len,
        **SERVER,
    )

    async def ask() -> Recording:
        async with serve(Simulator(settings, MemoryGpu(32 * GIB))) as url:
            return await record(url, recording.kind)

    return asyncio.run(ask())


def found(name: str, case: str) -> list[Difference]:
    recorded, answered = RECORDINGS[name].answers[case], simulated(name).answers[case]
    return differences(case, recorded, answered, EXPLAINED)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_simulator_answers_as_the_recorded_server(name: str, case: str) -> None:
    unexplained = [str(each) for each in found(name, case) if each.explained is None]
    if case in NOT_YET:
        assert unexplained, f"{case} is as recorded: take it out of NOT_YET"
    else:
        assert not unexplained, "\n".join(unexplained)


@pytest.mark.parametrize("explained", EXPLAINED, ids=lambda each: f"{each.case} {each.path}")
def test_what_is_explained_does_differ(explained: Any) -> None:
    assert any(
        difference.explained is explained
        for name, case in CASES
        for difference in found(name, case)
    ), "nothing differs there any more: take it out of the table"


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recorded_answer_is_of_a_request_that_is_known(name: str) -> None:
    recording = RECORDINGS[name]
    names = [case.name for case in battery(recording.kind)]
    assert len(names) == len(set(names))
    assert set(recording.answers) <= set(names)
