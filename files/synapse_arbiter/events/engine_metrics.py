"""The engines' metrics as the arbiter shows them on: every series with the model that it is of.

Line by line, because reading them into prometheus_client's objects and writing them again takes
more than ten times as long, on the event loop that requests wait for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SAMPLE = re.compile(rb"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S.*)")
COMMENT = re.compile(rb"# (?:HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) .*")
TAKEN = re.compile(rb'(^|,)model="')


@dataclass(slots=True)
class _Family:
    """The lines about one metric, which the format wants together."""

    comments: list[bytes] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)


def labelled(engines: Mapping[str, bytes]) -> bytes:
    """Join the metrics of all engines, each series labelled `model`, each metric described once.

    A label of that name is called `exported_model`, as Prometheus does it. What is no metric
    is left out, so that an engine that talks nonsense takes nobody's metrics away.
    """
    families: dict[bytes, _Family] = {}
    for model, text in engines.items():
        _collect(families, b'model="%s"' % model.encode(), text)
    parts = (line for one in families.values() for line in (*one.comments, *one.samples))
    return b"".join(line + b"\n" for line in parts)


def _collect(families: dict[bytes, _Family], label: bytes, text: bytes) -> None:
    described = set(families)
    name, family = b"", _Family()
    for line in text.splitlines():
        if line.startswith(b"#"):
            if comment := COMMENT.fullmatch(line):
                name = comment[1]
                family = families.setdefault(name, _Family())
                if name not in described:
                    family.comments.append(line)
        elif sample := SAMPLE.fullmatch(line):
            series, labels, value = sample.groups()
            if not name or not series.startswith(name):
                name = series
                family = families.setdefault(name, _Family())
            if labels and b'model="' in labels:
                labels = TAKEN.sub(rb'\1exported_model="', labels)
            labels = label + b"," + labels if labels else label
            family.samples.append(series + b"{" + labels + b"} " + value)
