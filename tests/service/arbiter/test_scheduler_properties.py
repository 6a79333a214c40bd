"""Random workloads with failing engines and impatient clients: what holds for all of them."""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass

import looptime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import SchedulerHarness
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.policy.line import Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.web.admin import Commands

EXAMPLES = int(os.environ.get("SYNAPSE_SCHEDULER_EXAMPLES", "0"))
NAMES = ("a", "b", "c")
FAILURES = (
    ("sleep", "fail"),
    ("sleep", "nothing"),
    ("wake", "fail"),
    ("wake", "nothing"),
    ("answer", "fail"),
    ("answer", "nothing"),
    ("load", "fail"),
    ("sleeping", "away"),
    ("die", ""),
    ("restart", ""),
    ("wake up alone", ""),
    ("fall asleep alone", ""),
    ("order", "recycle"),
    ("order", "pin"),
    ("order", "unpin"),
    ("order", "release"),
)


@dataclass(frozen=True)
class Event:
    """Something that happens so many seconds after the event before it."""

    after_s: float
    model: str


@dataclass(frozen=True)
class Request(Event):
    """A client comes; it may leave before it is served."""

    service_s: float
    priority: Priority
    budget_s: float
    leaves_after_s: float | None
    asker: Asker


@dataclass(frozen=True)
class Failure(Event):
    """Something goes wrong with an engine."""

    what: tuple[str, str]


AFTER_S = st.sampled_from([0.0, 0.0, 0.1, 1.0, 7.0])
MODEL = st.sampled_from(NAMES)
REQUESTS = st.builds(
    Request,
    AFTER_S,
    MODEL,
    st.sampled_from([0.0, 0.5, 3.0, 20.0]),
    st.sampled_from(Priority),
    st.sampled_from([1.0, 30.0, 10_000.0]),
    st.sampled_from([None, None, None, 0.0, 2.0]),
    st.builds(Asker, st.sampled_from("xy"), st.sampled_from(["", "ann", "ann", "ann", "bob"])),
)
FAILURE = st.builds(Failure, AFTER_S, MODEL, st.sampled_from(FAILURES))
EVENTS = st.lists(st.one_of(REQUESTS, REQUESTS, REQUESTS, FAILURE), max_size=30)


def strike(stage: SchedulerHarness, failure: Failure) -> None:
    engine, (call, how) = stage.engines[failure.model], failure.what
    if call == "die":
        engine.die()
    elif call == "restart":
        engine.restart()
    elif call == "wake up alone":
        engine.awaken()
    elif call == "order":
        order(Commands(stage.scheduler, stage.event_log), failure.model, how)
    elif call == "fall asleep alone":
        engine.asleep = True
    else:
        engine.script.setdefault(call, []).append(how)


def order(commands: Commands, model: str, what: str) -> None:
    """Let an operator order something; what makes no sense is refused."""
    with suppress(RefusedError):
        if what == "recycle":
            commands.recycle(model)
        elif what == "pin":
            commands.pin(model)
        elif what == "unpin":
            commands.unpin()
        else:
            commands.release(10.0)


async def client(stage: SchedulerHarness, request: Request, answers: list[str]) -> None:
    asking = asyncio.create_task(
        stage.ask(
            request.model, request.service_s, request.priority, request.budget_s, request.asker
        )
    )
    if request.leaves_after_s is not None:
        await asyncio.sleep(request.leaves_after_s)
        asking.cancel()
    try:
        answers.append(await asking)
    except asyncio.CancelledError:
        answers.append("left")


async def play(events: list[Event], awake: str | None) -> None:
    stage = await SchedulerHarness(
        *NAMES, awake=awake, model={"concurrency": 2}, limits={"drain_s": 15, "recycle_s": 5}
    ).start()
    watching = asyncio.create_task(stage.watch.run())
    answers: list[str] = []
    clients = []
    for event in events:
        await asyncio.sleep(event.after_s)
        if isinstance(event, Request):
            clients.append(asyncio.create_task(client(stage, event, answers)))
        elif isinstance(event, Failure):
            strike(stage, event)
    async with asyncio.timeout(20_000):
        await asyncio.gather(*clients)
    assert len(answers) == len(clients)
    await recovers(stage)
    watching.cancel()
    check(stage)


async def recovers(stage: SchedulerHarness) -> None:
    """However it was treated, every engine that is started again serves again."""
    Commands(stage.scheduler, stage.event_log).unpin()
    for engine in stage.engines.values():
        engine.script.clear()
        if not engine.up:
            engine.restart()
            await asyncio.sleep(60)
    for name in NAMES:
        async with asyncio.timeout(2_000):
            while await stage.ask(name) != "answered":
                if not stage.engines[name].up:
                    stage.engines[name].restart()
                await asyncio.sleep(30)


def check(stage: SchedulerHarness) -> None:
    state = stage.scheduler.state
    assert stage.vram.overlaps == []
    assert state.running == {}
    assert state.gpu.in_flight == state.gpu.interactive_in_flight == 0
    assert stage.scheduler.admission.waiting == 0
    assert all(not view.queue for view in state.gpu.models.values())
    for order in stage.order.values():
        assert order == sorted(order)


@settings(
    max_examples=EXAMPLES or 200,
    # The same examples every time, unless somebody searches: a run says something of the change.
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(EVENTS, st.sampled_from([None, *NAMES]))
def test_every_request_ends_once_in_order_and_no_two_transitions_overlap(
    events: list[Event], awake: str | None
) -> None:
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(play(events, awake))
