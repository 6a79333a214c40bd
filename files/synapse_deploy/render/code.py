"""The code of our programs, as ConfigMaps and volumes of their pods."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

FILES = Path(__file__).resolve().parents[2]
CODE = (".py", ".html", ".css", ".js")


def code(package: str, pattern: str = "**/*") -> dict[str, str]:
    """Return the files of a package that run, as the data of a ConfigMap.

    A key holds no slash, so `audio/queue.py` has the key `audio.queue.py`; `code_volume` puts it
    where it belongs.
    """
    root = FILES / package
    found = sorted(path for path in root.glob(pattern) if path.suffix in CODE)
    return {".".join(path.relative_to(root).parts): path.read_text() for path in found}


def code_volume(keys: Iterable[str], name: str, config_map: str) -> dict[str, Any]:
    """Return the pod's volume that holds `code`, every file in its folder."""
    items = [{"key": key, "path": _path(key)} for key in keys]
    nested = any("/" in item["path"] for item in items)
    return {"name": name, "configMap": {"name": config_map, **({"items": items} if nested else {})}}


def _path(key: str) -> str:
    file = PurePath(key)
    return file.stem.replace(".", "/") + file.suffix
