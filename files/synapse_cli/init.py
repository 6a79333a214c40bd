"""`make init`: a site of its own from an example, apart from what the project ships."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from synapse_cli.find import FILE as FOUND
from synapse_cli.find import text_of
from synapse_cli.host import (
    HOSTS,
    Host,
    HostError,
    hosts_text,
    parsed,
    servers_of,
    without_found,
)
from synapse_host.found import kubeconfig_of

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


def init(name: str, example: str, console: Console, root: Path = ROOT, *, host: str = "") -> int:
    """Make the site `inventory/<name>` unless it is there, and have every command use it.

    With a host, the site names it as its server. Raises InitError before anything is written.
    """
    inventory = root / "inventory"
    site, current = inventory / name, inventory / "current"
    server = _check(name, example, host, inventory)
    made = not site.exists()
    if made:
        _make(inventory / "examples" / example, site, server)
    elif server and not servers_of(site / HOSTS):
        _name_server(site, server)
    link = inventory / ".current"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(current)
    _tell(name, example, made, console, server)
    return 0


def _check(name: str, example: str, host: str, inventory: Path) -> Host | None:
    """Return the server that was named, if any."""
    faults, server = list[str](), None
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
    try:
        server = parsed(host) if host else None
        there = servers_of(inventory / name / HOSTS) if NAME.fullmatch(name) else {}
        if server and there and not _is_named(server, there.get(name)):
            faults.append(
                f"HOST={host}: inventory/{name}/{HOSTS} names its server already, in other words; "
                "change it there, or take another name for the site."
            )
    except HostError as fault:
        faults.append(str(fault))
    if faults:
        raise InitError("\n".join(faults))
    return server


def _is_named(server: Host, there: Any) -> bool:
    """Tell whether hosts.yml reaches this server; what else was written there may stay."""
    return isinstance(there, dict) and all(
        there.get(key) == value for key, value in server.variables.items()
    )


def _make(example: Path, site: Path, server: Host | None) -> None:
    """Copy the example and commit it; a run that breaks off leaves no site."""
    partial = site.with_name(f".{site.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(example, partial)
    (partial / ".gitignore").write_text(IGNORED)
    if server:
        platform = partial / "group_vars/all/platform.yml"
        text = platform.read_text() if platform.exists() else ""
        _name_server(partial, server, site.name, expected=_expected(text))
        if text:
            platform.write_text(without_found(text))
    identity = []
    if not _git(partial, "config", "user.email", check=False):
        identity = ["-c", "user.name=Synapse", "-c", "user.email=synapse@localhost"]
    _git(partial, "init", "--quiet")
    _git(partial, "add", "--all")
    message = f"Begin with the example {example.name}"
    _git(partial, *identity, "commit", "--quiet", f"--message={message}")
    partial.rename(site)


def _expected(platform: str) -> dict[str, Any]:
    """Return the GPU for which the example was made: what counts until its driver tells more."""
    typed = yaml.safe_load(platform) or {}
    return {"synapse_gpus": typed["synapse_gpus"]} if typed.get("synapse_gpus") else {}


def _name_server(
    folder: Path, server: Host, name: str = "", expected: Mapping[str, Any] | None = None
) -> None:
    """Write the server into a site; what is found later of it starts with its kubeconfig."""
    name = name or folder.name
    hosts, found = folder / HOSTS, folder / FOUND
    before = hosts.read_text() if hosts.exists() else "---\n"
    if not found.exists():
        found.write_text(text_of({"synapse_kubeconfig": kubeconfig_of(name), **(expected or {})}))
    partial = hosts.with_name(f".{HOSTS}.partial")
    partial.write_text(hosts_text(name, server, before))
    partial.replace(hosts)


def _git(folder: Path, *arguments: str, check: bool = True) -> str:
    command = ["git", "-C", str(folder), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=GIT_LIMIT_S, check=False)  # noqa: S603  (words of our own)
    if check and run.returncode:
        raise InitError(f"git {arguments[0]} failed, no site was made: {run.stderr.strip()}")
    return run.stdout.strip()


def _tell(name: str, example: str, made: bool, console: Console, server: Host | None) -> None:
    place = f"inventory/{name}"
    # One's own server is set up first; a cluster that is there is looked at before it is changed.
    way = "[bold]make check[/] shows what would change and [bold]make deploy[/] does it"
    if server:
        way = "[bold]make site[/] brings the server to its first answer"
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
        f"Next: edit them, then {way}. Commit your edits:\n"
        f"  git -C {place} commit --all --message 'Describe the server'",
        soft_wrap=True,
    )
    if server:
        where = "this machine" if server.is_here else server.address
        console.print(
            f"\nIts server is {where} ({place}/{HOSTS}). [bold]make find[/] writes down its "
            f"memory, cores and GPU, in {place}/{FOUND}; make site does so by itself.",
            soft_wrap=True,
        )
