"""The cases of `decide`, one row each; the ids are the specification.

The GPU of the tests: models a, b, c cost 2 s to switch, so Q = D = 8 s and q_min = 5 s. Model a
has been resident since second 100.
"""

from math import inf

import pytest

from synapse_arbiter.policy.decide import decide
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import (
    Action,
    Decision,
    GpuView,
    ModelView,
    Reason,
    Rules,
)
from tests.unit.arbiter.changes import SINCE_S, Change, model, nobody, runs, sets, waits

INTERACTIVE, BATCH = Priority.INTERACTIVE, Priority.BATCH


def serve(reason: Reason, until_s: float = inf) -> Decision:
    return Decision(Action.SERVE, reason, None, until_s)


def close(reason: Reason) -> Decision:
    return Decision(Action.CLOSE, reason)


def switch(reason: Reason, model: str) -> Decision:
    return Decision(Action.SWITCH, reason, model)


def sleep(reason: Reason) -> Decision:
    return Decision(Action.SLEEP, reason)


def stay(reason: Reason) -> Decision:
    return Decision(Action.STAY, reason)


def boot(reason: Reason) -> Decision:
    return Decision(Action.BOOT, reason)


def gaps(name: str, *gaps_s: float) -> Change:
    return lambda gpu: gpu.models[name].idle_gaps_s.extend(gaps_s)


def idle_since(since_s: float) -> Change:
    return model("a", idle_since_s=since_s)


CASES: list[tuple[str, float, list[Change], Decision]] = [
    # 1: a transition
    ("1-moving-stays", 101, [sets(moving=True), waits("b", 0)], stay(Reason.MOVING)),
    # 2: released
    ("2-released-busy-closes", 101, [sets(released=True), runs()], close(Reason.RELEASED)),
    (
        "2-released-drains",
        101,
        [sets(released=True, gate_closed=True), runs()],
        stay(Reason.DRAINING),
    ),
    ("2-released-idle-sleeps", 101, [sets(released=True)], sleep(Reason.RELEASED)),
    ("2-released-beats-pin", 101, [sets(released=True, pinned="b")], sleep(Reason.RELEASED)),
    (
        "2-released-and-empty-stays-whoever-waits",
        999,
        [nobody, sets(released=True, boot_since_s=1.0), waits("b", 0)],
        stay(Reason.RELEASED),
    ),
    # 3: pinned
    (
        "3-pinned-resident-serves-whoever-waits",
        999,
        [sets(pinned="a", boot_since_s=1.0), waits("b", 0), runs()],
        serve(Reason.PINNED),
    ),
    ("3-pinned-model-comes-in", 101, [sets(pinned="b")], switch(Reason.PINNED, "b")),
    ("3-pinned-model-comes-in-empty", 101, [nobody, sets(pinned="b")], switch(Reason.PINNED, "b")),
    ("3-pinned-waits-for-the-drain", 101, [sets(pinned="b"), runs()], close(Reason.PINNED)),
    (
        "3-unavailable-pinned-model-is-passed-over",
        101,
        [sets(pinned="b"), model("b", available=False), runs()],
        serve(Reason.ALONE),
    ),
    # 4: nobody is resident
    ("4-empty-stays", 101, [nobody], stay(Reason.EMPTY)),
    ("4-empty-wakes-who-waits", 101, [nobody, waits("b", 101)], switch(Reason.BACKLOG, "b")),
    ("4-empty-wakes-the-default", 101, [nobody, sets(default="c")], switch(Reason.DEFAULT, "c")),
    (
        "4-waiting-comes-before-the-default",
        101,
        [nobody, sets(default="c"), waits("b", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "4-unavailable-default-is-not-woken",
        101,
        [nobody, sets(default="c"), model("c", available=False)],
        stay(Reason.EMPTY),
    ),
    ("4-empty-boots", 101, [nobody, sets(boot_since_s=101.0)], boot(Reason.IDLE)),
    # 5: the resident is unavailable
    ("5-quarantined-closes", 101, [model("a", available=False), runs()], close(Reason.UNAVAILABLE)),
    ("5-quarantined-sleeps", 101, [model("a", available=False)], sleep(Reason.UNAVAILABLE)),
    (
        "5-quarantined-makes-room",
        101,
        [model("a", available=False), waits("b", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    # 6: nobody else waits
    ("6-alone-serves", 9999, [runs()], serve(Reason.ALONE)),
    ("6-alone-serves-its-queue", 9999, [waits("a", 9999)], serve(Reason.ALONE)),
    ("6-alone-idle-stays-awake", 9999, [], serve(Reason.ALONE)),
    ("6-alone-reopens-its-gate", 101, [sets(gate_closed=True), runs()], serve(Reason.ALONE)),
    (
        "6-waiting-for-an-unavailable-model-is-no-contention",
        9999,
        [waits("b", 0), model("b", available=False), runs()],
        serve(Reason.ALONE),
    ),
    (
        "6-idle-waits-for-its-time-to-live",
        129.9,
        [sets(rules=Rules(idle_ttl_s=20)), idle_since(110.0)],
        serve(Reason.ALONE, 130),
    ),
    (
        "6-idle-sleeps-after-its-time-to-live",
        130,
        [sets(rules=Rules(idle_ttl_s=20)), idle_since(110.0)],
        sleep(Reason.IDLE),
    ),
    (
        "6-time-to-live-counts-from-coming-in",
        119,
        [sets(rules=Rules(idle_ttl_s=20)), idle_since(50.0)],
        serve(Reason.ALONE, 120),
    ),
    (
        "6-busy-does-not-sleep",
        9999,
        [sets(rules=Rules(idle_ttl_s=20)), runs()],
        serve(Reason.ALONE),
    ),
    (
        "6-default-never-sleeps",
        9999,
        [sets(rules=Rules(idle_ttl_s=20), default="a")],
        serve(Reason.ALONE),
    ),
    (
        "6-default-comes-home-after-a-quantum",
        108,
        [sets(default="b")],
        switch(Reason.DEFAULT, "b"),
    ),
    ("6-default-waits-for-a-quantum", 107, [sets(default="b")], serve(Reason.ALONE, 108)),
    (
        "6-default-waits-for-its-own-time",
        108,
        [sets(default="b", rules=Rules(default_after_s=60))],
        serve(Reason.ALONE, 160),
    ),
    (
        "6-unavailable-default-leaves-the-time-to-live",
        120,
        [sets(default="b", rules=Rules(idle_ttl_s=20)), model("b", available=False)],
        sleep(Reason.IDLE),
    ),
    # 7: the gate is closed
    (
        "7-closed-drains",
        101,
        [sets(gate_closed=True), runs(), waits("b", 101)],
        stay(Reason.DRAINING),
    ),
    (
        "7-closed-and-drained-switches-though-its-own-queue-waits",
        101,
        [sets(gate_closed=True), waits("a", 90), waits("b", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    # 8: the resident has work
    ("8-turn-until-the-quantum", 101, [runs(), waits("b", 101)], serve(Reason.TURN, 108)),
    ("8-turn-until-the-deadline", 101, [runs(), waits("b", 98)], serve(Reason.TURN, 106)),
    ("8-quantum-over-closes", 108, [runs(), waits("b", 101)], close(Reason.QUANTUM)),
    ("8-deadline-closes", 106, [runs(), waits("b", 98)], close(Reason.DEADLINE)),
    ("8-deadline-never-before-q-min", 104.9, [runs(), waits("b", 0)], serve(Reason.TURN, 105)),
    ("8-deadline-at-q-min", 105, [runs(), waits("b", 0)], close(Reason.DEADLINE)),
    (
        "8-deadline-counts-from-the-fair-clock",
        106,
        [runs(), waits("b", 0), model("b", gate_closed_s=99.0)],
        serve(Reason.TURN, 107),
    ),
    (
        "8-a-waiting-boot-has-a-clock-too",
        106,
        [runs(), sets(boot_since_s=98.0)],
        close(Reason.DEADLINE),
    ),
    (
        "8-batch-makes-room-for-interactive-at-q-min",
        105,
        [runs(priority=BATCH), waits("a", 100, priority=BATCH), waits("b", 104)],
        close(Reason.PRIORITY),
    ),
    (
        "8-batch-keeps-q-min",
        104,
        [runs(priority=BATCH), waits("b", 104)],
        serve(Reason.TURN, 105),
    ),
    (
        "8-batch-does-not-make-room-for-batch",
        105,
        [runs(priority=BATCH), waits("b", 104, priority=BATCH)],
        serve(Reason.TURN, 108),
    ),
    (
        "8-one-interactive-request-keeps-the-turn",
        105,
        [runs(count=2), sets(interactive_in_flight=1), waits("b", 104)],
        serve(Reason.TURN, 108),
    ),
    (
        "8-a-waiting-interactive-request-keeps-the-turn",
        105,
        [runs(priority=BATCH), waits("a", 105), waits("b", 104)],
        serve(Reason.TURN, 108),
    ),
    (
        "8-turn-over-with-nothing-running-switches-at-once",
        108,
        [waits("a", 108), waits("b", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "8-the-dearest-switch-sets-the-constants",
        108,
        [runs(), waits("b", 101), model("b", switch_cost_s=3.0)],
        serve(Reason.TURN, 112),
    ),
    (
        "8-a-dear-model-that-does-not-wait-sets-nothing",
        108,
        [runs(), waits("b", 101), model("c", switch_cost_s=3.0)],
        close(Reason.QUANTUM),
    ),
    # 9: the resident is idle
    (
        "9-lingers-while-gaps-are-unknown",
        101,
        [idle_since(101.0), waits("b", 101)],
        serve(Reason.IDLE_GRACE, 103),
    ),
    (
        "9-lingers-for-twice-the-longest-short-gap",
        101,
        [idle_since(101.0), gaps("a", 0.5, 0.25, 0.5, 9, 9), waits("b", 101)],
        serve(Reason.IDLE_GRACE, 102.05),
    ),
    (
        "9-lingers-no-longer-than-the-limit",
        101,
        [idle_since(101.0), gaps("a", 1.5, 1.5, 1.5), waits("b", 101)],
        serve(Reason.IDLE_GRACE, 103),
    ),
    (
        "9-a-gap-as-long-as-the-limit-is-short",
        101,
        [idle_since(101.0), gaps("a", 2, 2, 2), waits("b", 101)],
        serve(Reason.IDLE_GRACE, 103),
    ),
    (
        "9-lingering-for-short-gaps-ends-with-the-deadline",
        101,
        [idle_since(101.0), gaps("a", 1, 1, 1), waits("b", 94)],
        serve(Reason.IDLE_GRACE, 102),
    ),
    (
        "9-no-linger-when-gaps-are-long",
        101,
        [idle_since(101.0), gaps("a", 1, 1, 9, 9), waits("b", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "9-lingers-less-the-more-wait",
        101,
        [idle_since(101.0), waits("b", 101, count=4)],
        serve(Reason.IDLE_GRACE, 101.5),
    ),
    (
        "9-lingering-ends",
        103,
        [idle_since(101.0), waits("b", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "9-lingering-ends-with-the-quantum",
        107,
        [idle_since(107.0), waits("b", 107)],
        serve(Reason.IDLE_GRACE, 108),
    ),
    (
        "9-lingering-ends-with-the-deadline-even-before-q-min",
        101,
        [idle_since(101.0), waits("b", 94)],
        serve(Reason.IDLE_GRACE, 102),
    ),
    (
        "9-lingering-counts-from-coming-in",
        100.5,
        [idle_since(50.0), waits("b", 100)],
        serve(Reason.IDLE_GRACE, 102),
    ),
    # who is next (nobody resident)
    (
        "next-1-overdue-goes-by-clock-not-by-backlog",
        109,
        [nobody, waits("b", 101, count=9), waits("c", 100)],
        switch(Reason.OVERDUE, "c"),
    ),
    (
        "next-1-overdue-begins-with-the-deadline",
        108,
        [nobody, waits("b", 101, count=9), waits("c", 100)],
        switch(Reason.OVERDUE, "c"),
    ),
    (
        "next-2-not-overdue-just-before-the-deadline",
        107.9,
        [nobody, waits("b", 101, count=9), waits("c", 100)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "next-1-the-clock-is-fair",
        109,
        [nobody, waits("b", 0), model("b", gate_closed_s=101.0), waits("c", 100)],
        switch(Reason.OVERDUE, "c"),
    ),
    (
        "next-1-an-overdue-boot-goes-by-clock",
        109,
        [nobody, sets(boot_since_s=100.0), waits("b", 101)],
        boot(Reason.OVERDUE),
    ),
    (
        "next-1-a-model-older-than-the-boot-goes-first",
        110,
        [nobody, sets(boot_since_s=101.0), waits("b", 100)],
        switch(Reason.OVERDUE, "b"),
    ),
    (
        "next-2-largest-backlog",
        101,
        [nobody, waits("b", 100, count=2), waits("c", 101, count=3)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "next-2-backlog-per-switch-cost",
        101,
        [nobody, waits("b", 100, count=2), model("b", switch_cost_s=4.0), waits("c", 101, count=3)],
        switch(Reason.BACKLOG, "c"),
    ),
    (
        "next-2-interactive-weighs-more",
        101,
        [nobody, waits("b", 101, priority=BATCH, count=3), waits("c", 101)],
        switch(Reason.BACKLOG, "c"),
    ),
    (
        "next-2-batch-weighs-something",
        101,
        [nobody, waits("b", 101, priority=BATCH, count=5), waits("c", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "next-2-a-free-switch-does-not-divide-by-zero",
        101,
        [nobody, waits("b", 101), model("b", switch_cost_s=0.0)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "next-2-unavailable-is-not-chosen",
        101,
        [nobody, waits("b", 101, count=9), model("b", available=False), waits("c", 101)],
        switch(Reason.BACKLOG, "c"),
    ),
    (
        "next-2-a-fresh-boot-comes-after-who-waits",
        101,
        [nobody, sets(boot_since_s=100.0), waits("b", 101)],
        switch(Reason.BACKLOG, "b"),
    ),
    (
        "next-3-the-boot-when-the-resident-idles",
        103,
        [idle_since(101.0), sets(boot_since_s=101.0)],
        boot(Reason.IDLE),
    ),
]


@pytest.mark.parametrize(
    ("now_s", "changes", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_decide(now_s: float, changes: list[Change], expected: Decision) -> None:
    models = {name: ModelView(name, capacity=4, switch_cost_s=2.0) for name in "abc"}
    gpu = GpuView(models)
    gpu.end_moving(models["a"], SINCE_S)
    for change in changes:
        change(gpu)
    assert decide(gpu, now_s) == expected
