"""What is learned from measurements: medians, high values, averages, errors."""

import pytest

from synapse_arbiter.policy.estimates import Average, Duration, ModelEstimates, PredictionScore


def duration_of(*measured_s: float) -> Duration:
    duration = Duration(7.0)
    for one_s in measured_s:
        duration.add(one_s)
    return duration


@pytest.mark.parametrize(
    ("measured_s", "typical_s", "long_s"),
    [
        ((), 7, 7),
        ((1,), 1, 1),
        ((1, 42, 1), 1, 42),
        ((3, 1, 2), 2, 3),
        (tuple(range(1, 11)), 6, 10),
        ((99,) * 16 + (1,) * 16, 1, 1),
        ((5,) * 8 + (99,) + (5,) * 7, 5, 5),
    ],
    ids=["prior", "first", "outlier", "unsorted", "ten", "window", "one-of-sixteen"],
)
def test_duration(measured_s: tuple[float, ...], typical_s: float, long_s: float) -> None:
    duration = duration_of(*measured_s)
    assert (duration.typical_s, duration.long_s) == (typical_s, long_s)


def test_an_average_replaces_its_guess_and_then_moves_slowly() -> None:
    average = Average(5.0)
    assert average.value_s == 5.0
    average.add(2.0)
    assert average.value_s == 2.0
    average.add(3.0)
    assert average.value_s == pytest.approx(2.1)


def test_a_switch_costs_sleep_wake_and_canary_as_measured() -> None:
    times = ModelEstimates(sleep=Duration(0.5), wake=Duration(1.25))
    assert times.switch_cost_s == pytest.approx(0.5 + 1.25 + 0.1)
    times.sleep.add(0.25)
    times.wake.add(1.5)
    times.canary.add(0.5)
    assert (times.wake_s, times.switch_cost_s) == (2.0, 2.25)


def test_the_score_of_predictions_knows_bias_and_size_of_errors() -> None:
    score = PredictionScore()
    for predicted_s, waited_s in [(2.0, 5.0), (5.0, 4.0), (1.0, 1.0)]:
        score.add(predicted_s, waited_s)
    assert score.count == 3
    assert score.bias.value_s == pytest.approx((3 * 0.9 - 1 * 0.1) * 0.9)
    assert (score.error.typical_s, score.error.long_s) == (1.0, 3.0)
