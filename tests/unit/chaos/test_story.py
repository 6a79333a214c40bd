"""The table counts every request once and hides no violation."""

from chaos.asking import Ending
from chaos.play import Chapter, Story
from chaos.table import HEADINGS, markdown, rows


def ending(outcome: str, served: str = "") -> Ending:
    return Ending("agents", outcome, served, 1.5, "")


STORY = Story(
    [
        Chapter("nothing yet", None, (ending("answered", "gpu-chat"), ending("answered"))),
        Chapter("arbiter", 2.0, (ending("error"), ending("broken"), ending("truncated"))),
    ]
)


def test_rows_count_every_request_once() -> None:
    lines = rows(STORY, ["gpu-chat"])
    assert lines[0] == ("nothing yet", "", "2", "1", "0", "1", "0", "0", "0", "1.5 s")
    assert lines[1] == ("arbiter", "2.0 s", "3", "0", "0", "0", "1", "1", "1", "1.5 s")
    assert lines[2] == ("in all", "", "5", "1", "0", "1", "1", "1", "1", "1.5 s")


def test_short_lost_and_hung_requests_are_violations() -> None:
    assert [one.outcome for one in STORY.violations] == ["truncated"]
    hung = Story([Chapter("x", None, (ending("hung"), ending("lost")))])
    assert len(hung.violations) == 2


def test_markdown_has_a_line_for_every_row() -> None:
    lines = markdown(rows(STORY, [])).splitlines()
    assert len(lines) == 2 + 3
    assert all(line.count("|") == len(HEADINGS) + 1 for line in lines)
