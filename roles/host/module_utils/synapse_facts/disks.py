"""The file systems of a server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from .server import Facts, Server

GIB = 2.0**30
ON_DISK = ("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "xfs", "zfs")


def disks_of(server: Server, folders: list[str]) -> Iterator[Facts]:
    """Return the file systems that can hold data, and those of the wanted folders."""
    mounts: dict[str, str] = {}
    for line in server.text("/proc/self/mounts").splitlines():
        _source, mount, kind = line.split()[:3]
        mounts[re.sub(r"\\(\d{3})", lambda code: chr(int(code.group(1), 8)), mount)] = kind
    asked = {
        max((one for one in mounts if is_under(folder, one)), key=len, default="/")
        for folder in ["/", *folders]
    }
    shown = set()
    for mount, kind in sorted(mounts.items()):
        if mount not in asked and kind not in ON_DISK:
            continue
        try:
            room, device = os.statvfs(server.at(mount)), os.stat(server.at(mount)).st_dev
        except OSError:
            continue
        again = device in shown and mount not in asked and not server.root  # a bind mount
        shown.add(device)
        if os.path.isdir(server.at(mount)) and not again:
            yield {
                "mount": mount,
                "type": kind,
                "size_gib": round(room.f_blocks * room.f_frsize / GIB, 2),
                "free_gib": round(room.f_bavail * room.f_frsize / GIB, 2),
            }


def is_under(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or lies in it."""
    return folder == "/" or path == folder or path.startswith(folder + "/")
