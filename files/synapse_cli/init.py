"""`make init`: a site of its own from an example, apart from what the project ships."""

import re
import shutil
import subprocess
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
TAKEN = ("common", "current", "examples")
GIT_LIMIT_S = 30.0
# Only what belongs to a site can be committed: a kubeconfig or exported keys cannot slip in.
IGNORED = """\
/*
!/.gitignore
!/hosts.yml
!/group_vars/
!/host_vars/
"""


class InitError(Exception):
    """The site cannot be made; the text says why and what to do."""


def init(name: str, example: str, console: Console, root: Path = ROOT) -> int:
    """Make the site `inventory/<name>` unless it is there, and have every command use it.

    Raises InitError before anything is written.
    """
    inventory = root / "inventory"
    site, current = inventory / name, inventory / "current"
    _check(name, example, inventory)
    made = not site.exists()
    if made:
        _make(inventory / "examples" / example, site)
    link = inventory / ".current"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(current)
    _tell(name, example, made, console)
    return 0


def _check(name: str, example: str, inventory: Path) -> None:
    faults = []
    examples = sorted(path.name for path in (inventory / "examples").iterdir() if path.is_dir())
    if name in TAKEN or not NAME.fullmatch(name):
        faults.append(
            f"SITE={name}: is no name for a site; use small letters, digits and hyphens, "
            f"such as forge, and none of {', '.join(TAKEN)}."
        )
    if example not in examples:
        faults.append(f"EXAMPLE={example}: there is no such example; take {', '.join(examples)}.")
    current = inventory / "current"
    if current.exists() and not current.is_symlink():
        faults.append("inventory/current is not a link; move it away, `make init` makes the link.")
    if not shutil.which("git"):
        faults.append("git is missing: a site is a git repository; install git.")
    if faults:
        raise InitError("\n".join(faults))


def _make(example: Path, site: Path) -> None:
    """Copy the example and commit it; a run that breaks off leaves no site."""
    partial = site.with_name(f".{site.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(example, partial)
    (partial / ".gitignore").write_text(IGNORED)
    identity = []
    if not _git(partial, "config", "user.email", check=False):
        identity = ["-c", "user.name=Synapse", "-c", "user.email=synapse@localhost"]
    _git(partial, "init", "--quiet")
    _git(partial, "add", "--all")
    message = f"Begin with the example {example.name}"
    _git(partial, *identity, "commit", "--quiet", f"--message={message}")
    partial.rename(site)


def _git(folder: Path, *arguments: str, check: bool = True) -> str:
    command = ["git", "-C", str(folder), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=GIT_LIMIT_S, check=False)  # noqa: S603  (words of our own)
    if check and run.returncode:
        raise InitError(f"git {arguments[0]} failed, no site was made: {run.stderr.strip()}")
    return run.stdout.strip()


def _tell(name: str, example: str, made: bool, console: Console) -> None:
    place = f"inventory/{name}"
    if made:
        console.print(f"[bold]{place}[/] is your site, made from the example {example}.")
    else:
        console.print(f"[bold]{place}[/] was there already and is as it was.")
    console.print(
        f"Every command uses it now (inventory/current). It is a git repository of its own; "
        "git ignores it here.\n\n"
        f"  {place}/group_vars/all/platform.yml   your server: GPU, cores, memory, address\n"
        f"  {place}/group_vars/all/models.yml     the models\n"
        f"  {place}/group_vars/all/aliases.yml    names that applications ask for\n"
        f"  {place}/group_vars/all/apps.yml       the applications and their limits\n\n"
        "Next: edit them, then [bold]make check[/] shows what would change and "
        "[bold]make deploy[/] does it. Commit your edits:\n"
        f"  git -C {place} commit --all --message 'Describe the server'",
        soft_wrap=True,
    )
