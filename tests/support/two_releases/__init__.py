"""A checkout of this very tree with two tags: its own version, and a later one."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synapse_cli.version import shipped_version

ROOT = Path(__file__).resolve().parents[3]
FAR_FUTURE_S = 4_000_000_000
WHO = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")


@dataclass(frozen=True)
class TwoReleases:
    """The checkout, at the older version's tag."""

    root: Path
    old: str
    new: str

    def git(self, *words: str) -> str:
        """What git prints."""
        command = ["git", *WHO, *words]
        run = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def at(self) -> str:
        """The tag that is checked out; of another commit, what git calls it after the last tag."""
        return self.git("describe", "--tags")

    def replace(self, file: str, pattern: str, by: str) -> None:
        """Change one place of a file."""
        text, count = re.subn(pattern, by, (self.root / file).read_text(), count=1, flags=re.M)
        assert count == 1, f"{pattern} is not in {file}"
        (self.root / file).write_text(text)


def two_releases(
    root: Path, *, both: Mapping[str, str] | None = None, later: Mapping[str, tuple[str, str]]
) -> TwoReleases:
    """Make the checkout; `both` are files of both versions, `later` what the new one changes."""
    copy_checkout(root)
    for name, text in (both or {}).items():
        (root / name).write_text(text)
    first, second, _ = shipped_version(root).split(".")
    old, new = shipped_version(root), f"{first}.{int(second) + 1}.0"
    made = TwoReleases(root, f"v{old}", f"v{new}")
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "chore: release the first")
    made.git("tag", made.old)
    made.replace("group_vars/all/versions.yml", r"^synapse_version: .*", f"synapse_version: {new}")
    news = f"## Unreleased\n\n## {new} - 2030-01-01\n\n- Something small is new.\n"
    made.replace("CHANGELOG.md", r"^## Unreleased\n", news)
    for file, (pattern, by) in later.items():
        made.replace(file, pattern, by)
    made.git("commit", "--quiet", "--all", "--message", "chore: release the second")
    made.git("tag", made.new)
    made.git("checkout", "--quiet", made.old)
    shutil.copytree(root / "inventory/examples/rtx5090", root / "inventory/home")
    (root / "inventory/current").symlink_to("home")
    return made


def copy_checkout(root: Path) -> None:
    """Copy this tree as it is, what git ignores left out, and lend it the tools."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if os.path.lexists(ROOT / name):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name, follow_symlinks=False)
    lend_tools(root)


def lend_tools(root: Path) -> None:
    """Give a checkout an environment of its own, ready to use, with the packages of this one."""
    own = root / ".venv"
    venv.create(own, symlinks=True)
    packages = Path(sysconfig.get_path("purelib"))
    own_packages = own / packages.relative_to(sys.prefix)
    project = tomllib.loads((root / "pyproject.toml").read_text())
    folders = [root / folder for folder in project["tool"]["hatch"]["build"]["dev-mode-dirs"]]
    # Of a folder that a .pth file names Python reads no .pth files: not where this code lies.
    (own_packages / "lent.pth").write_text("".join(f"{path}\n" for path in (*folders, packages)))
    for program in Path(sys.prefix, "bin").iterdir():
        here = own / "bin" / program.name
        if program.is_file() and not here.exists():
            text = program.read_bytes()
            if text.startswith(b"#!"):
                text = text.replace(f"{sys.prefix}/bin/".encode(), f"{own}/bin/".encode())
            here.write_bytes(text)
            here.chmod(0o755)
    for name in (".operate", ".develop"):
        (own / name).touch()
        os.utime(own / name, (FAR_FUTURE_S, FAR_FUTURE_S))
