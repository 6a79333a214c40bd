"""A thousand requests while every part is killed in turn: nobody is left without an end."""

import asyncio

import pytest

from chaos.play import play
from chaos.site import read_site
from chaos.table import rows
from synapse_cli.cluster import Cluster

from .deploying import play as deploy
from .deploying import recap

REQUESTS = 1000


@pytest.mark.timeout(1500)
def test_every_request_ends_while_parts_are_killed(cluster: Cluster, base_url: str) -> None:
    site = read_site(cluster, base_url)
    told: list[str] = []
    story = asyncio.run(play(site, REQUESTS, told.append))
    lines = rows(story, site.gpu_models)
    assert not story.violations, "\n".join([*map(str, story.violations), *map(str, lines)])
    assert sum(len(chapter.endings) for chapter in story.chapters) >= REQUESTS
    in_all = dict(zip(("gpu", "fallback"), map(int, lines[-1][3:5]), strict=True))
    assert min(in_all.values()) > 0, lines  # both roads were really taken
    run = deploy()
    assert run.returncode == 0, run.stdout
    assert recap(run)["changed"] == 0, run.stdout
