"""What the arbiter learns from its own measurements. Pure: measurements are arguments.

A duration has a prior, taken from the catalogue, that only counts until the first measurement.
Do not feed what is known to be out of the ordinary, such as an engine's first sleep.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field

WINDOW = 16
SERVICE_SMOOTHING = 0.1
PRIOR_SERVICE_S = 5.0
PRIOR_CANARY_S = 0.1
PRIOR_BOOT_S = 120.0


class Duration:
    """The last measurements of a duration: what is typical, and what is long."""

    __slots__ = ("_last", "_prior_s", "_sorted")

    def __init__(self, prior_s: float) -> None:
        """Start from a guess."""
        self._prior_s = prior_s
        self._last: deque[float] = deque()
        self._sorted: list[float] = []

    def add(self, measured_s: float) -> None:
        """Learn one measurement and forget the one before the window."""
        self._last.append(measured_s)
        insort(self._sorted, measured_s)
        if len(self._last) > WINDOW:
            del self._sorted[bisect_left(self._sorted, self._last.popleft())]

    @property
    def typical_s(self) -> float:
        """Return the median, which one odd measurement does not move."""
        return self._quantile(0.5)

    @property
    def long_s(self) -> float:
        """Return the 90th percentile."""
        return self._quantile(0.9)

    def _quantile(self, share: float) -> float:
        if not self._sorted:
            return self._prior_s
        return self._sorted[min(int(share * len(self._sorted)), len(self._sorted) - 1)]


class Average:
    """A moving average, cheap enough for every request."""

    __slots__ = ("_known", "value_s")

    def __init__(self, prior_s: float) -> None:
        """Start from a guess."""
        self.value_s = prior_s
        self._known = False

    def add(self, measured_s: float) -> None:
        """Learn one measurement; the first one replaces the guess."""
        share = SERVICE_SMOOTHING if self._known else 1.0
        self.value_s += share * (measured_s - self.value_s)
        self._known = True


@dataclass(slots=True)
class ModelEstimates:
    """What is known about the times of one model."""

    sleep: Duration
    wake: Duration
    canary: Duration = field(default_factory=lambda: Duration(PRIOR_CANARY_S))
    drain: Duration = field(default_factory=lambda: Duration(PRIOR_SERVICE_S))
    boot: Duration = field(default_factory=lambda: Duration(PRIOR_BOOT_S))
    service: Average = field(default_factory=lambda: Average(PRIOR_SERVICE_S))

    @property
    def wake_s(self) -> float:
        """Return the typical time from asleep to serving, canary included."""
        return self.wake.typical_s + self.canary.typical_s

    @property
    def switch_cost_s(self) -> float:
        """Return the model's own share of switching: to come in and to go again."""
        return self.sleep.typical_s + self.wake_s


class PredictionScore:
    """How good the predictions are: their bias and the size of their errors."""

    __slots__ = ("bias", "count", "error")

    def __init__(self) -> None:
        """Start without a record."""
        self.count = 0
        self.bias = Average(0.0)  # above zero: the waits are longer than predicted
        self.error = Duration(0.0)

    def add(self, predicted_s: float, waited_s: float) -> None:
        """Record a request that was held and then served."""
        self.count += 1
        self.bias.add(waited_s - predicted_s)
        self.error.add(abs(waited_s - predicted_s))
