"""K3s is ready when its node is and its system pods run; else it is said what is missing."""

import json
from typing import Any

import pytest

from role_modules import module

READY = module("k3s", "k3s_ready")


def node(name: str = "forge", status: str = "True", message: str = "ok") -> dict[str, Any]:
    condition = {"type": "Ready", "status": status, "message": message}
    return {"metadata": {"name": name}, "status": {"conditions": [condition]}}


def pod(name: str, *, ready: bool = True, reason: str = "") -> dict[str, Any]:
    containers = [{"state": {"waiting": {"reason": reason}}}] if reason else []
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"phase": "Pending", "conditions": conditions, "containerStatuses": containers}
    return {"metadata": {"name": name}, "status": status}


class Cluster:
    """What kubectl, systemctl and journalctl say, one state an ask; the last one stays."""

    def __init__(self, *states: Any) -> None:
        self.states, self.asked, self.active = list(states), 0, "active"
        self.stops = [0]
        self.time = 0.0
        self.started, self.renewed = "@1764580000", "2025-12-01T09:06:41.000001Z"

    def run(self, *words: str) -> str:
        if words[0] == "journalctl":
            return "starting\nfatal: no such flag\n"
        if words[0] == "systemctl" and "ActiveState" in words[3]:
            return self.active
        if words[0] == "systemctl" and "Timestamp" in words[3]:
            return self.started
        if words[3] == "leases":
            lease = {"metadata": {"name": "forge"}, "spec": {"renewTime": self.renewed}}
            return json.dumps({"items": [lease]})
        if words[0] == "systemctl":
            return str(self.stops.pop(0) if len(self.stops) > 1 else self.stops[0])
        state = self.states[min(self.asked, len(self.states) - 1)]
        if words[3] == "pods":
            self.asked += 1
            return json.dumps({"items": state[1]})
        if state is None or not state[1]:
            self.asked += 1
        return "" if state is None else json.dumps({"items": state[0]})

    def pause(self, seconds: float) -> None:
        self.time += seconds

    def wait(self, limit_s: float = 60) -> str:
        args = {"node": "forge", "pods": ["coredns", "metrics-server"]}
        made: str = READY.Waiting(args, self.run).wait(limit_s, lambda: self.time, self.pause)
        return made


WELL = ([node()], [pod("coredns-1"), pod("metrics-server-1"), pod("other-1", ready=False)])


def test_it_waits_until_all_is_there() -> None:
    cluster = Cluster(
        None, ([node(status="False")], []), ([node()], [pod("coredns-1", ready=False)]), WELL
    )
    assert cluster.wait() == ""
    assert cluster.time == 3 * READY.PAUSE_S


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "the Kubernetes API does not answer"),
        (([node("other")], []), "the node forge is not registered (there is ['other'])"),
        (([node(status="False", message="cni plugin not initialized")], []),
         "the node forge is not Ready: cni plugin not initialized"),
        (([node()], [pod("coredns-1", ready=False, reason="ImagePullBackOff")]),
         "coredns (ImagePullBackOff), metrics-server (it does not exist)"),
    ],
)  # fmt: skip
def test_the_end_of_its_time_says_what_is_missing(state: Any, told: str) -> None:
    assert Cluster(state).wait(limit_s=10).startswith("After 10 s ")
    assert told in Cluster(state).wait(limit_s=10)


def test_a_k3s_that_stops_again_and_again_is_given_up_early() -> None:
    cluster = Cluster(None)
    cluster.stops = [7, 8, 9, 10, 11]
    assert cluster.wait(limit_s=600) == "K3s stopped 4 times while it was awaited"
    assert cluster.time < 30


def test_a_unit_that_systemd_gave_up_is_not_waited_for() -> None:
    cluster = Cluster(None)
    cluster.active = "failed\n"
    assert cluster.wait(limit_s=600) == "K3s stopped, and systemd does not start it again"


def test_the_last_lines_of_its_log_are_quoted() -> None:
    args = {"node": "forge", "pods": []}
    assert READY.Waiting(args, Cluster(None).run).last_lines()[-1] == "fatal: no such flag"


def test_a_node_that_was_ready_before_k3s_started_anew_is_not_ready_yet() -> None:
    cluster = Cluster(WELL)
    cluster.renewed = "2025-12-01T09:06:39.000001Z"
    assert "the kubelet of forge has not reported since K3s' start" in cluster.wait(limit_s=10)
    cluster.started = ""  # an old systemd tells no such time
    assert cluster.wait() == ""


@pytest.mark.parametrize("state", ["activating", "deactivating"])
def test_a_k3s_that_starts_anew_is_not_ready_yet(state: str) -> None:
    cluster = Cluster(WELL)
    cluster.active = state
    assert f"K3s is {state}" in cluster.wait(limit_s=10)
