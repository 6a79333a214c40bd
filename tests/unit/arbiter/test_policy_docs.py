"""The comparison in the documentation is what the code gives."""

from pathlib import Path

from gpu_sim.__main__ import replaced
from gpu_sim.report import report

PAGE = Path(__file__).parents[3] / "docs/arbiter-policy.md"


def test_the_page_carries_the_figures_of_this_code() -> None:
    page = PAGE.read_text()
    assert page == replaced(page, report()), "run: make bench-policy"
