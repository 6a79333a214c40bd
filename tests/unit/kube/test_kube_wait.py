"""How long a run waits for rollouts, and whose pods it judges."""

import pytest

from synapse_deploy.kube.rollout import REVISION_KEEPERS, REVISION_LABELS, WORKLOADS
from synapse_deploy.kube.wait import RolloutError
from tests.unit.kube.cluster import FakeCluster
from tests.unit.kube.rollouts import (
    LIMIT_S,
    Clock,
    Object,
    event,
    keeper,
    pod,
    wait,
    workload,
)


def after_a_change(kind: str, *, refused: str) -> tuple[FakeCluster, Object]:
    """A workload whose revision `old` was followed by `new`; the listed pod of one is refused."""
    newest: Object = {"updateRevision": "new"} if kind == "StatefulSet" else {}
    asked = workload(kind, "thing", **newest)
    cluster = FakeCluster(asked, pod("thing", REVISION_LABELS[kind], refused))
    if kind in REVISION_KEEPERS:
        strange = keeper(REVISION_KEEPERS[kind], "thing", 11, "strange")
        strange["metadata"]["ownerReferences"] = [{"uid": "uid-other"}]
        # Revision 10 follows 9: as text it would come first.
        kept = [keeper(REVISION_KEEPERS[kind], "thing", 9, "old"), strange]
        kept += [keeper(REVISION_KEEPERS[kind], "thing", 10, "new")]
        cluster.put(*kept)
    return cluster, asked


@pytest.mark.parametrize("kind", WORKLOADS)
def test_refused_pod_of_the_newest_revision_ends_the_wait_at_once(kind: str, clock: Clock) -> None:
    cluster, asked = after_a_change(kind, refused="new")
    with pytest.raises(RolloutError) as caught:
        wait(cluster, asked)
    assert f"{kind} thing cannot become ready." in str(caught.value)
    assert "pod thing-new-0, container main: CreateContainerConfigError" in str(caught.value)
    assert clock.now_s == 0


@pytest.mark.parametrize("kind", WORKLOADS)
def test_refused_pod_of_an_older_revision_is_not_held_against_the_new_one(
    kind: str, clock: Clock
) -> None:
    cluster, asked = after_a_change(kind, refused="old")
    clock.at(60, lambda: cluster.put(workload(kind, "thing", ready=1)))
    wait(cluster, asked)
    assert clock.now_s == 60


@pytest.mark.parametrize(
    ("restarts", "moved", "kept"),
    [
        (0, 0, "logs"),
        (2, 0, "ended_logs"),
        (2, 1, "ended_logs"),  # moved between the two looks
        (2, 0, "logs"),  # the container before is gone for good
        (0, 2, "ended_logs"),  # it ended meanwhile
    ],
)
def test_reason_is_found_wherever_the_log_is(
    restarts: int, moved: int, kept: str, clock: Clock
) -> None:
    failing = pod("thing", "pod-template-hash", "new", waiting={"reason": "ImagePullBackOff"})
    failing["status"]["containerStatuses"][0]["restartCount"] = restarts
    asked = workload("Deployment", "thing")
    cluster = FakeCluster(asked, failing, keeper("ReplicaSet", "thing", 1, "new"))
    cluster.moved_logs = moved
    getattr(cluster, kept)["thing-new-0"] = "Repository Not Found"
    with pytest.raises(RolloutError) as caught:
        wait(cluster, asked)
    assert "log of thing-new-0: Repository Not Found" in str(caught.value)


@pytest.mark.parametrize("kind", WORKLOADS)
def test_nobody_is_judged_before_the_cluster_has_seen_the_change(kind: str, clock: Clock) -> None:
    cluster, asked = after_a_change(kind, refused="new")
    cluster.put(workload(kind, "thing", updateRevision="new", observedGeneration=1))
    clock.at(60, lambda: cluster.put(workload(kind, "thing", ready=1)))
    wait(cluster, asked)
    assert clock.now_s == 60


def test_only_warnings_about_the_pod_that_is_there_now_are_shown(clock: Clock) -> None:
    cluster, asked = after_a_change("StatefulSet", refused="new")
    cluster.put(event("uid-of-a-former-pod", "long ago"), event("uid-thing-new-0", "just now"))
    with pytest.raises(RolloutError) as caught:
        wait(cluster, asked)
    assert "event of thing-new-0: Failed: just now" in str(caught.value)
    assert "long ago" not in str(caught.value)


def test_revisions_are_looked_up_only_when_a_pod_looks_hopeless(clock: Clock) -> None:
    asked = workload("Deployment", "thing")
    starting = pod("thing", "pod-template-hash", "new", waiting={"reason": "ContainerCreating"})
    cluster = FakeCluster(asked, starting)
    clock.at(5, lambda: cluster.put(workload("Deployment", "thing", ready=1)))
    wait(cluster, asked)
    assert {path.split("/")[2] for path in cluster.listed} == {"pods"}


def test_rollout_that_does_not_come_is_given_up_at_the_limit(clock: Clock) -> None:
    asked = workload("Deployment", "thing")
    running = pod("thing", "pod-template-hash", "new", running={"startedAt": "now"})
    with pytest.raises(RolloutError) as caught:
        wait(FakeCluster(asked, running), asked)
    assert "Deployment thing was not ready within 300 s" in str(caught.value)
    assert "runs, but its probe does not pass" in str(caught.value)
    assert clock.now_s == pytest.approx(LIMIT_S, abs=2)
