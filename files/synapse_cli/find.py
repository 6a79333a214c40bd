"""`make find`: what the server has, written into the site's found.yml; a typed value wins."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.text import Text

from synapse_cli.doctor.server import Asked
from synapse_cli.doctor.unreached import told
from synapse_host.found import NAMES, found
from synapse_host.read import FactsError, read

ROOT = Path(__file__).parents[2]
FILE = "group_vars/all/found.yml"
HEAD = """\
---
# What the server has, as `make find` found it: it writes this file anew. A value in platform.yml
# wins, because that file is read later.
"""
COLORS = {"+": "green", "-": "red", "@": "cyan"}


class FindError(Exception):
    """Nothing was found; the text says why and what to do."""


def site_folder() -> Path:
    """Return the folder of the site in use: the last inventory that Ansible reads."""
    named = os.environ.get("ANSIBLE_INVENTORY", "").split(",")[-1]
    return Path(named or ROOT / "inventory/current").resolve()


def find(
    read_site: Callable[[], Mapping[str, Any]],
    ask_servers: Callable[[Mapping[str, Any]], Asked],
    console: Console,
    folder: Path,
    *,
    check: bool = False,
) -> int:
    """Show what would change in found.yml and, unless only checking, write it.

    Raises FindError, or SiteError of `read_site`, before anything is written.
    """
    facts = _facts(ask_servers(read_site()))
    file = folder / FILE
    before = file.read_text() if file.exists() else ""
    what = found(facts, folder.name, yaml.safe_load(before) or {})
    typed = dict(_typed(folder))
    values = {name: value for name, value in what.values.items() if _is_read_later(name, typed)}
    after = text_of(values)
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    if before == after:
        console.print(f"{shown}: nothing changed.", soft_wrap=True)
    else:
        _show(before, after, str(shown), console)
        if check:
            console.print("Nothing was written.")
        else:
            write(file, after)
    for name, (place, value) in typed.items():
        if name in what.values and value != what.values[name]:
            console.print(
                f"{name}: {place} says {_short(value)}, which wins; found: "
                f"{_short(what.values[name])}.",
                soft_wrap=True,
            )
    for note in what.notes:
        console.print(note, soft_wrap=True)
    return 0


def text_of(values: Mapping[str, Any]) -> str:
    """Return found.yml with these values."""
    ordered = {name: values[name] for name in NAMES if name in values}
    return HEAD + yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True)


def write(file: Path, text: str) -> None:
    """Replace a file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=file.parent, prefix=".found.")
    try:
        with os.fdopen(handle, "w") as opened:
            opened.write(text)
        Path(partial).chmod(0o644)
        Path(partial).replace(file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _facts(asked: Asked) -> Any:
    if asked.fault:
        raise FindError(asked.fault)
    if not asked.answers:
        raise FindError(
            "hosts.yml of your site names no server, so there is nothing to find. Write it there, "
            "or make the site with it: `make init SITE=forge HOST=me@192.168.1.10`."
        )
    if len(asked.answers) > 1:
        names = ", ".join(asked.answers)
        raise FindError(f"hosts.yml of your site names several servers, {names}; leave one.")
    ((name, answer),) = asked.answers.items()
    raw = answer.get("facts")
    if not isinstance(raw, Mapping):
        raise FindError(told(answer, name))
    try:
        return read(raw)
    except FactsError as fault:
        raise FindError(str(fault)) from fault


def _typed(folder: Path) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Yield what the site's other files say of what is found: the name, where, and the value."""
    for file in sorted((folder / "group_vars/all").glob("*.y*ml")):
        if file.name == Path(FILE).name:
            continue
        root = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
        for key, node in root.value if isinstance(root, yaml.MappingNode) else ():
            if key.value in NAMES:
                place = f"{file.name}:{key.start_mark.line + 1}"
                yield key.value, (place, yaml.SafeLoader("").construct_document(node))


def _is_read_later(name: str, typed: Mapping[str, tuple[str, Any]]) -> bool:
    """Tell whether Ansible reads the typed value after found.yml: files come by their names."""
    return name not in typed or typed[name][0] > Path(FILE).name


def _short(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


def _show(before: str, after: str, name: str, console: Console) -> None:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), name, name, lineterm="", n=1
    )
    for line in lines:
        console.print(Text(line, COLORS.get(line[:1], "")), soft_wrap=True)
