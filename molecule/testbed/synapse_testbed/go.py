"""Go programs from the Go module proxy, and the toolchain that builds them."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from synapse_testbed.commands import TestbedError, run, say

VERSIONS = Path(__file__).parents[3] / "group_vars/all/versions.yml"
DEBIAN_PACKAGE = "golang-go"
PLACES = ("go", "/usr/local/go/bin/go")
MODULES = Path(__file__).parent.parent / "go"
BUILD_LIMIT_S = 3600
SETTINGS = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}


def pins(module: str) -> dict[str, str]:
    """Return the inputs that a committed go.mod and go.sum are to a build."""
    return {name: (MODULES / module / name).read_text() for name in ("go.mod", "go.sum")}


def host_packages() -> tuple[str, ...]:
    """Return the Debian packages needed to get a toolchain: none where a `go` is installed."""
    return () if any(shutil.which(place) for place in PLACES) else (DEBIAN_PACKAGE,)


def needed() -> str:
    """Return the version of Go that compiles the testbed, as versions.yml has it."""
    return str(yaml.safe_load(VERSIONS.read_text())["synapse_tools"]["go"])


def version_of(told: str) -> tuple[int, int]:
    """Read the version that `go version` printed; (0, 0) when there is none."""
    found = re.search(r"go(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def install_tools(
    module: str, destination: Path, *, flags: str = "-s -w", env: Mapping[str, str]
) -> None:
    """Build the programs that a module's `tool` lines name into a folder."""
    command = [_toolchain(), "install", "-trimpath", "-ldflags", flags, "tool"]
    settings = SETTINGS | {"GOBIN": str(destination)} | dict(env)
    run(command, cwd=MODULES / module, env=settings, limit_s=BUILD_LIMIT_S)


def module_folder(module: str, dependency: str) -> Path:
    """Return where the sources of one of a module's pinned dependencies lie, fetched if need be."""
    command = [_toolchain(), "mod", "download", "-json", dependency]
    told = run(command, cwd=MODULES / module, env=SETTINGS, limit_s=BUILD_LIMIT_S)
    return Path(json.loads(told)["Dir"])


def _toolchain() -> str:
    """Return a `go` that is new enough, fetched when the host has only an older one."""
    found = [place for place in PLACES if shutil.which(place)]
    for place in found:
        told = run([place, "version"], env={"GOTOOLCHAIN": "local"}, limit_s=60)
        if version_of(told) >= version_of(f"go{needed()}"):
            return place
    if not found:
        raise TestbedError(f"no Go on this machine: install the package {DEBIAN_PACKAGE}")
    return _fetch_toolchain(found[0])


def _fetch_toolchain(older_go: str) -> str:
    # The toolchain is itself a module: an old `go` from the distribution can fetch it.
    module = f"golang.org/toolchain@v0.0.1-go{needed()}.linux-amd64"
    fetch = [older_go, "mod", "download", "-json", module]
    told = json.loads(run(fetch, cwd=Path("/"), limit_s=600))
    root = Path(told["Dir"])
    say(f"go {needed()}: fetched as a module")
    # A module's files are not executable; these are programs.
    for program in (*(root / "bin").iterdir(), *(root / "pkg" / "tool").rglob("*")):
        if program.is_file():
            program.chmod(0o755)
    return str(root / "bin" / "go")
