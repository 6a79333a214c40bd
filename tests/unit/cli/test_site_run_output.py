"""What is read out of Ansible's output, as Ansible writes it."""

import pytest

from synapse_cli.site_run.output import changes, failure, plain, works_on

FAILED = """\
TASK [k3s : Fetch the binary] **************************************************
[ERROR]: Task failed: Action failed
fatal: [forge]: FAILED! =>
    changed: false
    msg: |-
        The checksum is another one.
        Nothing was put in place.

PLAY RECAP *********************************************************************
forge : ok=1    changed=2    unreachable=0    failed=1
localhost : ok=1    changed=1    unreachable=0    failed=0
""".splitlines()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("TASK [k3s : Wait for a Ready node] *****", "Wait for a Ready node"),
        ("TASK [Deploy LiteLLM] *****", "Deploy LiteLLM"),
        ("    waiting for Deployment gateway (1 pod(s) to go)",
         "waiting for Deployment gateway (1 pod(s) to go)"),
        ("    small: 37 %, 1.3 of 3.5 GiB", "small: 37 %, 1.3 of 3.5 GiB"),
        ("ok: [localhost]", ""),
        ("    changed: false", ""),
    ],
)  # fmt: skip
def test_what_is_worked_on_is_read_from_tasks_and_from_who_waits(line: str, found: str) -> None:
    assert works_on(line) == found


def test_changes_are_added_up_over_the_hosts() -> None:
    assert changes(FAILED) == 3
    assert changes(["nothing of Ansible"]) is None


def test_the_last_failure_tells_its_message() -> None:
    assert failure(FAILED) == ["The checksum is another one.", "Nothing was put in place."]


def test_a_message_on_one_line_is_told_without_its_quotes() -> None:
    lines = ["fatal: [forge]: UNREACHABLE! => ", "    changed: false", "    msg: 'No route: x'"]
    assert failure(lines) == ["No route: x"]


def test_a_wrapped_message_is_one_sentence_and_keeps_its_own_quotes() -> None:
    told = ["    msg: 'model lost: cannot pull x: Get", '        "https://x/v2": refused\'']
    assert failure([*FAILED[:3], *told]) == [
        'model lost: cannot pull x: Get "https://x/v2": refused'
    ]


def test_empty_lines_within_a_message_do_not_end_it() -> None:
    told = ["    msg: |-", "        One fault.", "", "        Another one.", "", "PLAY RECAP ***"]
    assert failure([*FAILED[:3], *told]) == ["One fault.", "Another one."]


def test_of_several_failures_the_last_counts() -> None:
    earlier = ["fatal: [forge]: FAILED! => ", "    msg: rescued", "", *FAILED]
    assert failure(earlier)[0] == "The checksum is another one."


def test_what_did_not_come_from_a_task_is_told_by_its_last_lines() -> None:
    assert failure(["ERROR! no such playbook", ""]) == ["ERROR! no such playbook"]


def test_colours_are_taken_out() -> None:
    assert plain("\x1b[0;32mok: [localhost]\x1b[0m\n") == "ok: [localhost]"
