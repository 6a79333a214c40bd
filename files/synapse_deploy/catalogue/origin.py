"""Where a user wrote something: the file and the line, found in the site's own files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synapse_common.place import Path as Place
from synapse_deploy.catalogue.options import ROOT

ELSEWHERE = "given with -e"
PRODUCT = ROOT / "group_vars"
# Ansible's order: what comes later wins.
READ = ("group_vars/all.yml", "group_vars/all.yaml", "group_vars/all", "host_vars")


@dataclass(frozen=True)
class Written:
    """A variable in a file: where, and its value there."""

    file: Path
    node: yaml.Node

    def line(self, place: Place) -> int:
        """Return the line of an entry or key below it, or of what is nearest to it."""
        node, line = self.node, self.node.start_mark.line
        for step in place:
            pairs = node.value if isinstance(node, yaml.CollectionNode) else []
            if isinstance(node, yaml.MappingNode):
                found = next(((key, inner) for key, inner in pairs if key.value == str(step)), None)
            elif isinstance(step, int) and step < len(pairs):
                found = (pairs[step], pairs[step])
            else:
                found = None
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        return line + 1


class Origins:
    """What the files of some inventories set."""

    def __init__(self, inventories: Iterable[str | Path]) -> None:
        """Read these folders' files but the product's; of unreadable ones Ansible told."""
        self._written: dict[str, Written] = {}
        for inventory in map(Path, inventories):
            if (inventory / "group_vars").resolve() == PRODUCT:
                continue
            for file in _files(inventory):
                for name, key, node in _variables(file):
                    self._written[name] = Written(file, _keyed(key, node))

    def where(self, place: Place, values: Mapping[str, Any]) -> str:
        """Return `file:line` of a place, or that it was given on the command line."""
        name = str(place[0])
        written = self._written.get(name)
        if written is None or not _same(written.node.value[0][1], values.get(name)):
            return ELSEWHERE
        file = written.file
        shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
        return f"{shown}:{written.line(place)}"


def _files(inventory: Path) -> Iterator[Path]:
    for start in READ:
        path = inventory / start
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.suffix in (".yml", ".yaml"))


def _variables(file: Path) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    try:
        root = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        return
    for key, node in root.value if isinstance(root, yaml.MappingNode) else ():
        yield str(key.value), key, node


def _keyed(key: yaml.Node, node: yaml.Node) -> yaml.MappingNode:
    """Return a mapping of this one key, so that its line is found like that of any other."""
    return yaml.MappingNode("tag:yaml.org,2002:map", [(key, node)], key.start_mark, node.end_mark)


def _same(node: yaml.Node, value: Any) -> bool:
    """Tell whether a file's value is the one that counts, as far as that can be told."""
    try:
        loader = yaml.SafeLoader("")
        written = loader.construct_document(node)
    except yaml.YAMLError:
        return True  # a tag of Ansible's, such as !vault
    return written == value or value is None or "{{" in str(written)
