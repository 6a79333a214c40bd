"""NVIDIA's container toolkit on a server, and what tells containers of devices."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

from .driver import NUMBER
from .server import Facts, Server


def toolkit_of(server: Server, packages: dict[str, str]) -> Facts:
    """Return NVIDIA's container toolkit."""
    told = re.search(r"version v?(\d[\w.+~-]*)", server.says("nvidia-ctk", "--version"))
    package = packages.get("nvidia-container-toolkit", "").partition("-")[0]
    folders = ("/usr/local/nvidia/toolkit", "/usr/bin")
    runtimes = [f"{folder}/nvidia-container-runtime" for folder in folders]
    config = server.text("/etc/nvidia-container-runtime/config.toml")
    section = config.partition("[nvidia-container-runtime]")[2].partition("\n[")[0]
    mode = re.search(r'^\s*mode\s*=\s*"(\w+)"', section, re.M)
    lists = ["/etc/apt/sources.list", *server.glob("/etc/apt/sources.list.d/*")]
    return {
        "version": told.group(1) if told else package,
        "runtimes": [path for path in runtimes if server.exists(path)],
        "mode": mode.group(1) if mode else "auto" if config else "",
        "cdi": list(cdi_of(server)),
        "sources": [
            path
            for path in lists
            if path.endswith((".list", ".sources"))
            and re.search(r"^[^#\n]*nvidia\.github\.io", server.text(path), re.M)
        ],
    }


def cdi_of(server: Server) -> Iterator[Facts]:
    """Return what tells container runtimes of devices."""
    seen = set()
    for path in [one for at in ("/etc/cdi", "/var/run/cdi", "/run/cdi") for one in
                 server.glob(f"{at}/*")]:  # fmt: skip
        place = os.path.realpath(server.at(path))
        if place in seen or not path.endswith((".json", ".yaml", ".yml")):
            continue
        seen.add(place)
        text = server.text(path)
        driver = re.search(rf"lib(?:cuda|nvidia-ml)\.so\.{NUMBER}", text)
        kind, names = devices_of(text)
        yield {
            "path": path,
            "devices": [f"{kind}={name}" for name in names],
            "driver": driver.group(1) if driver else "",
        }


def devices_of(text: str) -> tuple[str, list[str]]:
    """Return the kind and the names of a CDI file's devices; in YAML no other key is a name."""
    try:
        spec = json.loads(text)
        return str(spec["kind"]), [str(device["name"]) for device in spec["devices"]]
    except (ValueError, KeyError, TypeError):
        pass
    value = r"""\s*["']?([^"'\s]+)"""
    kind = re.search(rf"^kind:{value}", text, re.M)
    names = re.findall(rf"^\s*(?:- )?\s*name:{value}", text, re.M)
    return kind.group(1) if kind else "?", names
