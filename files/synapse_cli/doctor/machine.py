"""This machine, from which Synapse is deployed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import partial
from importlib import metadata

from synapse_common.finding import Finding

OLDEST_PYTHON = (3, 11)
PACKAGES = ("ansible-core", "kubernetes", "httpx", "pydantic")
# Programs that a deployment does without, and what they are for.
OPTIONAL = {"kubectl": "the documents look into pods with it", "git": "make upgrade needs it"}

here = partial(Finding, "this machine")


def machine() -> Iterator[Finding]:
    """The Python of this environment, the packages a deployment imports, programs beside it."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info[:2] < OLDEST_PYTHON
    yield here("python", version, "Install Python 3.11 or newer, then run make setup." * old)
    for package in PACKAGES:
        try:
            yield here(package, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield here(package, "missing", "Run make setup.")
    for program, use in OPTIONAL.items():
        yield here(program, shutil.which(program) or f"not found; optional: {use}")
