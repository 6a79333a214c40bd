"""What runs on a server, and whose sockets and devices it holds."""

from __future__ import annotations

import glob
import os
import re

from .server import Server

DESKTOPS = frozenset(
    {"Xorg", "Xwayland", "gnome-shell", "kwin_wayland", "kwin_x11", "mutter", "sway", "Hyprland",
     "cosmic-comp", "weston", "labwc", "plasmashell", "cinnamon", "xfwm4"}
)  # fmt: skip


class Processes:
    """What runs on the server: who holds which socket and device."""

    def __init__(self, server: Server) -> None:
        """Go through /proc once."""
        self.of_socket: dict[str, list[tuple[int, str]]] = {}
        self.displays: set[str] = set()
        self.names: set[str] = set()
        self.containerds: dict[int, str] = {}
        hidden = False
        for folder in glob.glob(server.at("/proc/[0-9]*")):
            pid = int(os.path.basename(folder))
            name = server.text(f"/proc/{pid}/comm")
            self.names.add(name)
            if name == "containerd":
                self.containerds[pid] = server.text(f"/proc/{pid}/cmdline")
            try:
                files = list(os.scandir(f"{folder}/fd"))
            except PermissionError:
                hidden = True
                continue
            except OSError:
                continue
            for file in files:
                try:
                    held = os.readlink(file.path)
                except OSError:
                    continue
                if held.startswith("socket:["):
                    self.of_socket.setdefault(held[8:-1], []).append((pid, name))
                elif re.match(r"/dev/nvidia(\d|-modeset)", held) and name in DESKTOPS:
                    self.displays.add(name)
        if hidden:
            server.unseen.add("Programs of other users are seen by root only.")
