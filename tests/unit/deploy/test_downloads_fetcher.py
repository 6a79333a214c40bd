"""The model fetcher's address, where its pod is away for a moment."""

from typing import Any, cast

import pytest

from synapse_deploy.downloads.fetcher import Fetcher
from synapse_deploy.kube.api import ApiError, KubeApi

SHOWN = {"models": [], "is_busy": False, "looks": 1, "why": "", "rate_bytes_s": None}


class FakeApi:
    """Refuses as often as the test says."""

    def __init__(self, refusals: int, status: int = 503) -> None:
        self.refusals, self.status = refusals, status

    def call(self, method: str, path: str) -> dict[str, Any]:
        self.refusals -= 1
        if self.refusals >= 0:
            raise ApiError("no endpoints available for service", self.status)
        return SHOWN


def fetcher(api: FakeApi, patience_s: float) -> Fetcher:
    return Fetcher(cast(KubeApi, api), "llm-infra", patience_s, lambda _: None)


def test_a_pod_that_just_started_is_waited_for() -> None:
    assert fetcher(FakeApi(2), 60).look().looks == 1


def test_one_that_stays_away_is_told() -> None:
    with pytest.raises(ApiError, match="no endpoints"):
        fetcher(FakeApi(100), 60).look()


@pytest.mark.parametrize(("patience_s", "status"), [(0, 503), (60, 404)])
def test_nobody_waits_unasked_or_for_what_does_not_exist(patience_s: float, status: int) -> None:
    api = FakeApi(1, status)
    with pytest.raises(ApiError):
        fetcher(api, patience_s).status()
    assert api.refusals == 0
