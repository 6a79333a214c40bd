"""Whisper tiny.en and a voice, brought onto a volume by the program that brings them in a pod."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from synapse_testbed import speech
from synapse_testbed.cache import Cache
from synapse_testbed.settings import from_environment

MODEL, VOICE = "Systran/faster-whisper-tiny.en", "en_US-joe-medium"
REPOSITORY = Path(__file__).parents[3]
LIMIT_S = 300
# The testbed's image has the first lines in a .pth file.
PROGRAM = """
import pathlib, runpy, sys
import hub_in_a_folder
hub_in_a_folder.install(pathlib.Path(sys.argv.pop(1)))
runpy.run_module("synapse_fetching", run_name="__main__", alter_sys=True)
"""


def fetch(
    folder: Path, *, models: tuple[str, ...] = (MODEL,), voices: tuple[str, ...] = (VOICE,)
) -> str:
    """Lay out a volume as the speech pods have it; return a line for what cannot be had."""
    with Cache(from_environment(os.environ).cache, tell=lambda _: None) as cache:
        layer = cache.obtain(speech.models()) / "layer.tar"
        hub = speech.extract_models(layer, folder / "image")
    wanted = {"models": (folder / "huggingface/hub", models), "voices": (folder / "voices", voices)}
    return "".join(
        _fetch(hub, kind, place, names) for kind, (place, names) in wanted.items() if names
    )


def _fetch(hub: Path, kind: str, place: Path, names: tuple[str, ...]) -> str:
    report = place.parent / f"{kind}.txt"
    place.parent.mkdir(parents=True, exist_ok=True)
    options = ["--folder", str(place), "--report", str(report), "--limit-s", str(LIMIT_S)]
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(hub), kind, *options, "--reserve-gib", "0", *names],
        env=os.environ | {"PYTHONPATH": str(speech.HUB), "HF_HUB_DISABLE_XET": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=LIMIT_S,
        check=True,
    )
    return report.read_text()
