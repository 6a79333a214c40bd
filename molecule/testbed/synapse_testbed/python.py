"""Debian's Python as the images have it: libraries for it, and commands run with it, on any host.

The host's own Python may be older or newer; nothing that is made here depends on it.
"""

import os
import sys
from collections.abc import Mapping
from inspect import getsource
from pathlib import Path
from typing import IO

from synapse_testbed.cache import Recipe
from synapse_testbed.commands import as_root, run
from synapse_testbed.contents import load_image, remove_other_images
from synapse_testbed.debian import BASE_PACKAGES, root_filesystem
from synapse_testbed.oci import Image
from synapse_testbed.podman import PODMAN, ULIMITS

VERSION = "3.13"
# The newest C library that uv knows and Debian 13 has.
PLATFORM = "x86_64-manylinux_2_40"
PACKAGES = f"usr/local/lib/python{VERSION}/dist-packages"
INSTALL_LIMIT_S = 1800


def root() -> Recipe:
    """Debian with that Python and what the tests call, for work that leaves no trace in it."""
    return root_filesystem("debian-tools", f"{BASE_PACKAGES} git make")


def install(requirements: str, target: Path) -> None:
    """Install a complete list of requirements, as published for this Python, into a folder."""
    wanted = target.with_name(f"{target.name}-requirements.txt")
    wanted.write_text(requirements)
    uv = Path(sys.executable).parent / "uv"
    how = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    which = ["--python-version", VERSION, "--python-platform", PLATFORM]
    which += ["--python", sys.executable]
    place = ["--target", str(target), "--requirement", str(wanted)]
    run([str(uv), *how, *which, *place], limit_s=INSTALL_LIMIT_S)
    wanted.unlink()


def compile_packages(tools: Path, packages: Path) -> None:
    """Compile libraries where an image will have them: at run time its root is read-only."""
    how = f"-m compileall -qq -j0 --invalidation-mode=unchecked-hash -s /new -p /{PACKAGES} /new"
    run_in_debian(tools, ["python3", *how.split()], {packages: "/new"}, limit_s=600)


def way_to_install() -> str:
    """Return what decides the result of `install` and `compile_packages`, for a recipe's inputs."""
    return f"{VERSION} {PLATFORM} {getsource(install)} {getsource(compile_packages)}"


def run_in_debian(
    tools: Path,
    command: list[str],
    mounts: Mapping[Path, str],
    *options: str,
    limit_s: float,
    stdout: IO[bytes] | None = None,
) -> None:
    """Run a command in a container of those tools: as the caller's user, without a network."""
    image = load_image(Image("localhost/synapse/tools:dev", (tools / "layer.tar",)))
    remove_other_images(image)
    flags = ["--rm", "--network=none", f"--user={os.getuid()}:{os.getgid()}", *ULIMITS, *options]
    volumes = [f"--volume={path}:{place}" for path, place in mounts.items()]
    whole = as_root(*PODMAN, "run", *flags, *volumes, image, *command)
    run(whole, limit_s=limit_s, stdout=stdout)
