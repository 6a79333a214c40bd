"""What the roles of Synapse's own services share: their code, and the check of their settings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from ansible.errors import AnsibleFilterError

FILES = Path(__file__).resolve().parents[3] / "files"
# The services themselves know best whether a configuration is good.
sys.path[:0] = [str(FILES / name) for name in ("common", "gateway", "arbiter", "speech")]

from synapse_common.reading import ConfigError  # noqa: E402

Written = TypeVar("Written")


def code(folder: str) -> dict[str, str]:
    """Return the files of a package or of a folder in it, by name, without what lies deeper."""
    (found,) = FILES.glob(f"*/{folder}")
    return {file.name: file.read_text() for file in sorted(found.iterdir()) if file.is_file()}


def checked(
    read: Callable[[Written], object], written: Written, options: Mapping[str, str]
) -> Written:
    """Return what a service is told, or name every fault that it would refuse it for.

    `options` maps the beginning of a fault to what the role's users call it. A service's last
    pod may have left before its successor reads this, so a fault must be found here.
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
