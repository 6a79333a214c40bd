"""The predictions against what really came, over the workloads with open loops."""

import pytest

from gpu_sim.prediction import forecast
from gpu_sim.workloads import WORKLOADS, Workload

SWITCH_S = 2.0


@pytest.mark.parametrize("workload", WORKLOADS[2:], ids=lambda workload: workload.name)
def test_predictions_are_nearly_unbiased_and_off_by_less_than_a_turn(workload: Workload) -> None:
    errors_s = forecast(workload)
    sizes_s = sorted(abs(error_s) for error_s in errors_s)
    assert len(errors_s) > 500
    assert abs(sum(errors_s) / len(errors_s)) < 1.5 * SWITCH_S
    assert sizes_s[len(sizes_s) // 2] < 2 * SWITCH_S
