"""The scheduler with fake engines in virtual time: order, exactly once, no overlap."""

import asyncio

import pytest

from harness import SchedulerHarness
from synapse_arbiter.policy.line import NOBODY, Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.state import QueuedRequest

pytestmark = pytest.mark.looptime


async def test_requests_for_the_resident_run_at_once() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    assert await stage.ask("a") == "answered"
    assert stage.log == []
    assert repr(stage.scheduler) == "<Scheduler [a is resident, serving, 0 running, 0 waiting]>"


async def test_a_sleeping_model_is_woken_after_the_resident_sleeps() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    assert await stage.ask("b") == "answered"
    assert stage.log == [("sleep", "a"), ("wake", "b"), ("answer", "b")]
    assert stage.resident == "b"


async def test_requests_that_arrive_during_a_switch_join_it() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    answers = await asyncio.gather(*(stage.ask("b") for _ in range(5)))
    assert answers == ["answered"] * 5
    assert stage.log.count(("wake", "b")) == 1


async def test_admission_is_capped_by_the_engines_concurrency() -> None:
    stage = await SchedulerHarness("a", awake="a", model={"concurrency": 2}).start()
    asks = [asyncio.create_task(stage.ask("a")) for _ in range(5)]
    await asyncio.sleep(0.5)
    assert stage.scheduler.state.gpu.in_flight == 2
    assert stage.scheduler.admission.waiting == 3
    assert await asyncio.gather(*asks) == ["answered"] * 5
    assert stage.order["a", Priority.INTERACTIVE, NOBODY] == [1, 2, 3, 4, 5]


async def test_a_person_who_floods_is_passed_by_another_of_the_same_application() -> None:
    stage = await SchedulerHarness("a", awake="a", model={"concurrency": 1}).start()
    ended: list[str] = []

    async def ask(app: str, person: str) -> None:
        await stage.ask("a", asker=Asker(app, person))
        ended.append(person or app)

    who = [("x", "ann")] * 4 + [("y", ""), ("x", "bob")]
    await asyncio.gather(*(ask(*each) for each in who))
    assert ended == ["ann", "ann", "bob", "ann", "y", "ann"]


async def test_a_wait_is_refused_by_the_turns_of_people_not_by_the_flood_of_one() -> None:
    stage = await SchedulerHarness("a", awake="a", model={"concurrency": 1}).start()
    flood = [asyncio.create_task(stage.ask("a", asker=Asker("x", "ann"))) for _ in range(9)]
    await asyncio.sleep(0)
    learned_s = stage.scheduler.learning.known["a"].service.value_s
    budget_s = 4 * learned_s
    assert await stage.ask("a", 1.0, budget_s=budget_s, asker=Asker("x", "bob")) == "answered"
    assert await asyncio.gather(*flood) == ["answered"] * 9


async def test_who_waits_is_told_the_place_and_the_seconds_that_are_left() -> None:
    stage = await SchedulerHarness("a", awake="a", model={"concurrency": 1}).start()
    admission, clock_s = stage.scheduler.admission, asyncio.get_running_loop().time
    asks = [asyncio.create_task(stage.ask("a")) for _ in range(3)]
    await asyncio.sleep(0)
    queue = stage.scheduler.state.gpu.models["a"].queue
    second = QueuedRequest("a", Priority.INTERACTIVE, NOBODY, clock_s() - 1, 60, predicted_s=3)
    queue.push(second, Priority.INTERACTIVE, clock_s())
    assert admission.outlook(second) == (len(queue), 2.0)
    second.predicted_s = 0.5
    assert admission.outlook(second) == (len(queue), 0.0), "it is late, and not owed time"
    assert queue.remove(second, Priority.INTERACTIVE)
    assert await asyncio.gather(*asks) == ["answered"] * 3


async def test_a_client_that_leaves_while_it_waits_wakes_nothing() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    busy = asyncio.create_task(stage.ask("a", 5.0))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(stage.ask("b"))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await busy == "answered"
    await asyncio.sleep(60)
    assert stage.log == []
    assert stage.scheduler.admission.waiting == 0


async def test_a_drain_that_takes_too_long_is_cut_with_an_explicit_error() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits={"drain_s": 10}).start()
    endless = asyncio.create_task(stage.ask("a", 10_000))
    await asyncio.sleep(0.1)
    assert await stage.ask("b") == "answered"
    assert await endless == "drain_limit"


async def test_a_wait_longer_than_the_budget_is_refused_at_once() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    loop = asyncio.get_running_loop()
    before_s = loop.time()
    assert await stage.ask("b", budget_s=0.5) == "wait_exceeds_budget"
    assert loop.time() == before_s


async def test_a_wait_that_outlasts_its_budget_ends() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].script["wake"] = [30.0]
    assert await stage.ask("b", budget_s=10.0) == "wait_budget_spent"


async def test_a_full_queue_refuses() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits={"queue": 1}).start()
    first = asyncio.create_task(stage.ask("b"))
    await asyncio.sleep(0)
    assert await stage.ask("b") == "queue_full"
    assert await first == "answered"


async def test_a_stop_lets_running_requests_finish_and_refuses_the_others() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    running = asyncio.create_task(stage.ask("a", 5.0))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(stage.ask("b"))
    await asyncio.sleep(0.1)
    await stage.scheduler.stop()
    assert await running == "answered"
    assert await waiting == "stopping"
    assert await stage.ask("a") == "stopping"


async def test_a_stop_cuts_what_does_not_finish_in_time() -> None:
    stage = await SchedulerHarness("a", awake="a", limits={"stop_s": 3}).start()
    running = asyncio.create_task(stage.ask("a", 500.0))
    await asyncio.sleep(0.1)
    await stage.scheduler.stop()
    assert await running == "stopping"


async def test_a_stop_in_the_middle_of_a_switch_waits_for_its_end() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    waiting = asyncio.create_task(stage.ask("b"))
    await stage.until(lambda: stage.scheduler.state.gpu.moving)
    await stage.scheduler.stop()
    assert await waiting == "stopping"
    assert not stage.engines["b"].asleep


async def test_a_fault_of_our_own_in_a_transition_is_survived() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].script["wake"] = [RuntimeError("a bug")]
    assert await stage.ask("b") == "model_quarantined"
    assert stage.scheduler.state.engine_states["b"].reason.endswith("internal_error")
    assert await stage.ask("a") == "model_quarantined"
    await stage.until(lambda: sorted(stage.recycler.recycled) == ["a", "b"])


async def test_a_stopping_arbiter_begins_nothing_more() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    stage.scheduler.state.stopping = True
    stage.scheduler.suspect("a")
    assert stage.scheduler.state.operation is None


async def test_a_request_that_is_being_cut_is_not_cut_again() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    running = asyncio.create_task(stage.ask("a", 100.0))
    await asyncio.sleep(0.1)
    stage.scheduler.admission.cut("drain_limit", "first")
    stage.scheduler.admission.cut("engine_lost", "second")
    assert await running == "drain_limit"


async def test_a_refusal_that_meets_a_client_that_just_left_is_harmless() -> None:
    stage = await SchedulerHarness("a", awake="a", model={"concurrency": 1}).start()
    first = asyncio.create_task(stage.ask("a", 5.0))
    second = asyncio.create_task(stage.ask("a", 5.0))
    await asyncio.sleep(0.1)
    second.cancel()
    stage.scheduler.state.gpu.released = True
    stage.scheduler.apply_policy()
    await asyncio.wait([first, second])
    assert stage.scheduler.state.gpu.in_flight == 0


async def test_a_newcomer_does_not_overtake_who_was_admitted_a_moment_ago() -> None:
    stage = await SchedulerHarness("a", awake="a", model={"concurrency": 1}).start()
    running = asyncio.create_task(stage.ask("a", 5.0))
    waiting = asyncio.create_task(stage.ask("a"))
    await asyncio.sleep(0.1)
    stage.scheduler.state.gpu.models["a"].capacity = 3
    stage.scheduler.apply_policy()  # admits the one that waits; its own task goes on later
    assert await stage.ask("a") == "answered"
    assert (await running, await waiting) == ("answered", "answered")
    assert stage.order["a", Priority.INTERACTIVE, NOBODY] == [1, 2, 3]
