"""The shapes that were found the worst, sent again one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from abuse import search
from abuse.cases import AnyShape
from abuse.catalogue import SEES, WELL
from abuse.measuring import Cost, measure
from abuse.shapes import Shape
from abuse.site import Site
from abuse.story import BACK_S, Row, Story, told

CPU_FACTOR = 10.0
"""What a shape may cost beside a plain body of the same size."""
LEAST_CPU_S = 0.1
PLAIN = "text"
PAGE = "/v1/chat/completions"


def replay(site: Site, name: str, shapes: Iterable[AnyShape], others_ask: str = WELL) -> Row:
    """Send each alone; what all of them may cost is counted in work, beside a plain body."""
    with told(site, name, others_ask=others_ask) as story:
        for shape in shapes:
            if not site.alive():
                story.expect(False, "the process has ended")
                break
            judge(story, shape, measure(site, shape.request(), BACK_S), plain_s(site, shape))
    return story.ended


def judge(story: Story, shape: AnyShape, cost: Cost, plain_cpu_s: float) -> None:
    """Note how one ended, and what it did to the others."""
    story.outcomes.append(cost.outcome)
    where = f"{shape.kind}, {shape.size} bytes"
    story.expect(cost.status != 500, f"{where}: 500")
    most_s = CPU_FACTOR * max(plain_cpu_s, LEAST_CPU_S)
    story.expect(
        cost.cpu_s <= most_s, f"{where}: {cost.cpu_s:.2f} s of work, more than {most_s:.2f}"
    )


_PLAIN_S: dict[tuple[int, int], float] = {}


def plain_s(site: Site, shape: AnyShape) -> float:
    """Return the work of a plain body of the same size, measured once for each process."""
    key = site.gateway.pid, shape.size if isinstance(shape, Shape) else 0
    if key not in _PLAIN_S:
        _PLAIN_S[key] = measure(site, plain(key[1]).request(), BACK_S).cpu_s
    return _PLAIN_S[key]


def plain(size: int) -> Shape:
    """Return a body of this size that is as cheap as can be: one text."""
    return Shape(PAGE, "messages.0.content", PLAIN, size, model=SEES)


def searched(site: Site, *, first: int, limit_s: float, seed: int = 1) -> list[search.Found]:
    """Look for the worst shapes within the gateway's limits, worst first."""
    limits = search.limits_of(site.settings.json_body_mib, site.settings.audio_body_mib)

    def cost(shape: AnyShape) -> Cost:
        return measure(site, shape.request(), BACK_S) if site.alive() else ENDED

    return search.Search(cost, limits, seed=seed, first=first, limit_s=limit_s).run()


ENDED = Cost("broken", 0, "the process had ended", 0, 0, 0.0, 0.0, 0.0, 0.0, lives=False)
