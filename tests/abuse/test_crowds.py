"""Many at once: streams, the largest bodies, recordings; and what a gateway stands on goes away."""

from __future__ import annotations

from abuse import crowds, outside, play
from abuse.site import Site, running


def test_three_hundred_streams_are_whole_or_told(site: Site) -> None:
    row = crowds.streams(site)
    assert not row.faults
    assert row.answered + row.errors == crowds.STREAMS


def test_an_engine_that_reads_nothing_does_not_keep_large_bodies(site: Site) -> None:
    assert not crowds.unread(site).faults


def test_a_command_comes_before_batch_recordings(site: Site) -> None:
    assert not crowds.recordings(site).faults


def test_uploads_that_trickle_do_not_hold_up_another_application(site: Site) -> None:
    assert not crowds.trickled(site).faults


def test_all_places_with_the_largest_bodies_leave_the_process_alive(ports: dict[str, int]) -> None:
    with running(ports) as site:
        assert not play.smallest_elements(site).faults


def test_all_places_with_pictures_leave_the_process_alive(ports: dict[str, int]) -> None:
    with running(ports) as site:
        row = crowds.pictures(site)
        assert not row.faults
        assert row.answered > 0
        for name, shape in crowds.largest_shapes(site):
            assert not crowds.largest(site, shape, name).faults


def test_a_name_server_that_is_away_does_no_harm_to_other_names(ports: dict[str, int]) -> None:
    assert not outside.no_name_server(ports).faults


def test_a_full_disk_is_told_and_not_taken_for_a_client_that_left(ports: dict[str, int]) -> None:
    assert not outside.full_disk(ports).faults
