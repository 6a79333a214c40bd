"""The programs inside the file `k3s`: put into the data folder once, as K3s does with its own."""

import fcntl
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from k3s_simulator.told import info

MEMBER, HASH = "payload.tar.gz", "payload.sha256"
# Python has the archive that it runs as its first place to look for modules.
ARCHIVE = Path(sys.path[0])


def member(name: str) -> str:
    """Return a text of the archive."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        return archive.read(name).decode()


def unpack(data: Path) -> Path:
    """Return the folder of the programs below the data folder, unpacked when it is not there."""
    home = data / "data"
    place = home / member(HASH).strip()
    if (place / "bin").is_dir():
        return place
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        info(f"Acquiring lock file {home}/.lock")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "bin").is_dir():
            info(f"Preparing data dir {place}")
            _unpack(place)
            _switch(home, place)
    return place


def _unpack(place: Path) -> None:
    partial = place.with_name(f"{place.name}-tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    with zipfile.ZipFile(ARCHIVE) as archive, archive.open(MEMBER) as packed:
        command = ["tar", "--extract", "--gzip", f"--directory={partial}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as tar:
            assert tar.stdin is not None
            shutil.copyfileobj(packed, tar.stdin, 1 << 20)
            tar.stdin.close()
            if tar.wait():
                raise OSError(f"{ARCHIVE}: cannot be unpacked")
    shutil.rmtree(place, ignore_errors=True)
    partial.rename(place)


def _switch(home: Path, place: Path) -> None:
    current, cni = home / "current", home / "cni"
    if current.is_symlink():
        (home / "previous").unlink(missing_ok=True)
        (home / "previous").symlink_to(os.readlink(current))
        current.unlink()
    current.symlink_to(place)
    cni.mkdir(exist_ok=True)
    for plugin in (place / "cni").iterdir():
        (cni / plugin.name).unlink(missing_ok=True)
        (cni / plugin.name).symlink_to(plugin)
