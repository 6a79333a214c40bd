"""The gateway starts only where it can keep its promises."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_gateway.server import UnfitError, check_parser, make_room_for_files

FILES = Path(__file__).parents[3] / "files"


def test_the_wanted_parser_is_the_one_in_use() -> None:
    check_parser()


def test_with_the_other_parser_it_refuses_to_start() -> None:
    code = "from synapse_gateway.server import check_parser; check_parser()"
    environment = {**os.environ, "AIOHTTP_NO_EXTENSIONS": "1", "PYTHONPATH": str(FILES)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert ran.returncode == 1
    assert b"not with aiohttp._http_parser" in ran.stderr


def test_files_are_allowed_for_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 8192))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    make_room_for_files(100)
    assert asked == []
    make_room_for_files(1000)
    assert asked == [(6128, 8192)]
    with pytest.raises(UnfitError, match="4000 connections need 24128 open files"):
        make_room_for_files(4000)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    make_room_for_files(4000)
    assert asked[1:] == [(24128, resource.RLIM_INFINITY)]
