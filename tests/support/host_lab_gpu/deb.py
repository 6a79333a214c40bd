"""Debian packages, put together from files."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synapse_testbed.commands import run

# Packing takes longer than building at the default level.
PACK = ("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build")
PROGRAM, TEXT = 0o755, 0o644


@dataclass(frozen=True)
class Package:
    """A package: what it says of itself, its files and what runs when it comes and goes."""

    name: str
    version: str
    says: str
    files: Mapping[str, Path | str] = field(default_factory=dict)
    """By place, without a leading slash; a text or a file. Programs are known by their folder."""
    links: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    """Such as Depends and Breaks."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Such as postinst."""

    def control(self) -> str:
        """Return the text of its control file."""
        told = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": "amd64",
            "Maintainer": "Synapse's tests <tests@localhost>",
            "Section": "utils",
            "Priority": "optional",
            **self.fields,
            "Description": self.says,
        }
        return "".join(f"{name}: {value}\n" for name, value in told.items())


def pack(package: Package, folder: Path) -> Path:
    """Write the package into a folder and return its file."""
    with tempfile.TemporaryDirectory() as work:
        root = Path(work) / "root"
        for place, source in package.files.items():
            mode = PROGRAM if "bin/" in place or "libexec/" in place else TEXT
            _put(root / place, source, mode)
        for place, target in package.links.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).symlink_to(target)
        _put(root / "DEBIAN/control", package.control(), TEXT)
        settings = [f"/{place}\n" for place in package.files if place.startswith("etc/")]
        if settings:
            _put(root / "DEBIAN/conffiles", "".join(settings), TEXT)
        for name, text in package.scripts.items():
            _put(root / "DEBIAN" / name, text, PROGRAM)
        for inside in (root, *root.rglob("*")):
            if inside.is_dir():
                inside.chmod(0o755)
        made = folder / f"{package.name}_{package.version}_amd64.deb"
        run([*PACK, str(root), str(made)], limit_s=300)
    return made


def _put(place: Path, source: Path | str, mode: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, Path):
        shutil.copyfile(source, place)
    else:
        place.write_text(source)
    place.chmod(mode)
