"""`make render`: rendered objects by group, and the services' configuration as plain files."""

from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

MANIFESTS, CONFIG = "manifests", "config"
# Where the objects of a component lie that is no application.
GROUPS = {"namespace": "infra"}
APPLICATIONS = "apps"


def arrange(folder: Path) -> list[str]:
    """Sort a folder of one file a component into manifests/ and config/; say what lies where."""
    for file in sorted(folder.glob("*.yaml")):
        group = folder / MANIFESTS / GROUPS.get(file.stem, APPLICATIONS)
        group.mkdir(parents=True, exist_ok=True)
        file.rename(group / file.name)
    write_configuration(folder)
    return [
        f"{place}/: {', '.join(sorted(file.name for file in place.glob('*.yaml')))}"
        for place in sorted({file.parent for file in folder.rglob("*.yaml")})
    ]


def write_configuration(folder: Path) -> None:
    """Write what ConfigMaps hold of the services' configuration, which is what the pods read."""
    (folder / CONFIG).mkdir(exist_ok=True)
    for found in objects(folder):
        for name, text in (found.get("data") or {}).items():
            if found["kind"] == "ConfigMap" and name.endswith(".yaml"):
                (folder / CONFIG / name).write_text(text, encoding="utf-8")


def objects(folder: Path) -> list[Object]:
    """Every object that `make render` has written into a folder."""
    files = sorted((folder / MANIFESTS).rglob("*.yaml"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]
