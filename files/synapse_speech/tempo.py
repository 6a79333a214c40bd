"""Makes speech faster or slower without changing its pitch."""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter
import numpy as np

from synapse_speech.voices import Samples

SLOWEST, FASTEST = 0.5, 2.0
"""What FFmpeg's filter does at a time without leaving samples out; it is put in a row for more."""


def at_speed(samples: Samples, rate: int, speed: float) -> Samples:
    """Return the samples, spoken so much faster: exactly 1/speed as many."""
    wanted = round(samples.size / speed)
    if speed == 1 or not wanted:
        return samples[:wanted]
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=rate, format="s16", layout="mono", time_base=Fraction(1, rate)
    )
    filters = [graph.add("atempo", f"{step:.6f}") for step in _steps(speed)]
    graph.link_nodes(source, *filters, graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    frame.pts = 0
    graph.push(frame)
    graph.push(None)
    made = _pulled(graph)[:wanted]
    # The filter ends a few milliseconds early or late.
    return np.pad(made, (0, wanted - made.size))


def _steps(speed: float) -> list[float]:
    """Return factors that the filter takes, whose product is the speed."""
    steps = []
    while not SLOWEST <= speed <= FASTEST:
        step = FASTEST if speed > 1 else SLOWEST
        steps.append(step)
        speed /= step
    return [*steps, speed]


def _pulled(graph: av.filter.Graph) -> Samples:
    pieces: list[Samples] = [np.empty(0, dtype=np.int16)]
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return np.concatenate(pieces)
        pieces.append(frame.to_ndarray().reshape(-1).astype(np.int16))
