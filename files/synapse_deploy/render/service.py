"""What the roles of Synapse's own programs share: their code, and the check of their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ansible.errors import AnsibleFilterError

from synapse_common.reading import ConfigError

FILES = Path(__file__).resolve().parents[2]
CODE = (".py", ".html", ".css", ".js")

Written = TypeVar("Written")


def code(package: str, pattern: str = "**/*") -> dict[str, str]:
    """Return the files of a package that run, as the data of a ConfigMap.

    A key holds no slash, so `audio/queue.py` has the key `audio.queue.py`; `code_volume` puts it
    where it belongs.
    """
    root = FILES / package
    found = sorted(path for path in root.glob(pattern) if path.suffix in CODE)
    return {".".join(path.relative_to(root).parts): path.read_text() for path in found}


def code_volume(keys: Mapping[str, str], name: str, config_map: str) -> dict[str, Any]:
    """Return the pod's volume that holds `code`, every file in its folder."""
    paths = {key: "/".join(key.rsplit(".", 1)[0].split(".")) for key in keys}
    items = [{"key": key, "path": f"{paths[key]}.{key.rsplit('.', 1)[1]}"} for key in keys]
    nested = any("/" in item["path"] for item in items)
    return {"name": name, "configMap": {"name": config_map, **({"items": items} if nested else {})}}


def checked(
    read: Callable[[Written], object], written: Written, options: Mapping[str, str]
) -> Written:
    """Return what a service is told.

    `options` maps the beginning of a fault to what the role's users call it. A service's last
    pod may have left before its successor reads this, so a fault must be found here.

    Raises `AnsibleFilterError` with every fault that the service would refuse it for.
    """
    try:
        read(written)
    except ConfigError as error:
        found = [_ours(text, options) for text in error.faults]
        raise AnsibleFilterError("\n".join(found)) from None  # Ansible would say the cause too
    return written


def _ours(text: str, options: Mapping[str, str]) -> str:
    for theirs, ours in options.items():
        if text.startswith(theirs):
            return ours + text.removeprefix(theirs)
    return text
