"""The table that people read: a line a blow, and what was seen afterwards."""

from collections import Counter
from collections.abc import Iterable

from rich.table import Table

from chaos.asking import Ending
from chaos.play import Chapter, Story

HEADINGS = (
    "Killed", "Back after", "Requests", "Answered on the GPU", "by a fallback", "unnamed",
    "Explicit errors", "Broken connections", "Hung, short or lost", "Longest",
)  # fmt: skip


def rows(story: Story, gpu_models: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the table's lines, the sum last."""
    gpu = frozenset(gpu_models)
    every = tuple(ending for chapter in story.chapters for ending in chapter.endings)
    chapters = [*story.chapters, Chapter("in all", None, every)]
    return [_row(chapter, gpu) for chapter in chapters]


def table(lines: Iterable[tuple[str, ...]]) -> Table:
    """Lay the lines out for a terminal."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for heading in HEADINGS:
        drawn.add_column(heading, justify="left" if heading == "Killed" else "right")
    for line in lines:
        drawn.add_row(*line)
    return drawn


def markdown(lines: Iterable[tuple[str, ...]]) -> str:
    """Write the lines as the documents hold them."""
    ruled = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in ruled)


def _row(chapter: Chapter, gpu: frozenset[str]) -> tuple[str, ...]:
    ended = Counter(_column(ending, gpu) for ending in chapter.endings)
    counts = [ended[name] for name in ("gpu", "fallback", "unnamed", "error", "broken", "bad")]
    longest_s = max((ending.seconds for ending in chapter.endings), default=0.0)
    back = "" if chapter.back_s is None else f"{chapter.back_s:.1f} s"
    told = [str(number) for number in (len(chapter.endings), *counts)]
    return chapter.blow, back, *told, f"{longest_s:.1f} s"


def _column(ending: Ending, gpu: frozenset[str]) -> str:
    if ending.outcome == "answered":
        # A stream that was pinged while it waited does not name who served it.
        return "unnamed" if not ending.served else "gpu" if ending.served in gpu else "fallback"
    return ending.outcome if ending.outcome in ("error", "broken") else "bad"
