"""The display devices of a server, and what nvidia-smi shows of them."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator

from .server import Facts, Server

GIB = 2.0**30
OF_A_CARD = (
    "name", "uuid", "memory.total", "memory.reserved", "memory.used", "persistence_mode",
    "power.limit", "power.default_limit", "power.min_limit", "power.max_limit", "mig.mode.current",
)  # fmt: skip


def gpus_of(server: Server) -> Iterator[Facts]:
    """Return the display devices on the PCI bus."""
    for path in server.glob("/sys/bus/pci/devices/*"):
        if not server.text(f"{path}/class").startswith("0x03"):
            continue
        resources = server.text(f"{path}/resource")
        bars = [
            int(end, 16) - int(start, 16) + 1
            for start, end in re.findall(r"^(0x\w+) (0x\w+) ", resources, re.M)
            if int(end, 16)
        ]
        yield {
            "address": os.path.basename(path),
            "vendor": server.text(f"{path}/vendor")[2:],
            "device": server.text(f"{path}/device")[2:],
            "driver": server.link(f"{path}/driver"),
            "largest_bar_gib": round(max(bars, default=0) / GIB, 4),
        }


def cards_of(server: Server) -> tuple[list[Facts], str]:
    """Return the GPUs as nvidia-smi shows them, or the one line that it says when it fails."""
    fields = list(OF_A_CARD)
    while True:
        query = (f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits")
        status, said = server.run("nvidia-smi", *query)
        unknown = re.search(r'Field "(\S+)" is not a valid field', said)
        if status and unknown and unknown.group(1) in fields:
            fields.remove(unknown.group(1))  # an older driver
            continue
        break
    if status:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return [], " ".join(lines)[:300] if status != 127 else ""
    rows = csv.reader(said.splitlines(), skipinitialspace=True)
    return [card_of(dict(zip(fields, row))) for row in rows if len(row) == len(fields)], ""


def card_of(shown: dict[str, str]) -> Facts:
    """Return one GPU; what nvidia-smi does not know of it is [N/A] there."""

    def number(name: str) -> float | None:
        return float(shown[name]) if re.fullmatch(r"[\d.]+", shown.get(name, "")) else None

    return {
        "name": shown["name"],
        "uuid": shown["uuid"],
        "memory_mib": int(number("memory.total") or 0),
        "reserved_mib": int(number("memory.reserved") or 0),
        "used_mib": int(number("memory.used") or 0),
        "persistence": {"Enabled": True, "Disabled": False}.get(shown.get("persistence_mode", "")),
        "power_limit_w": number("power.limit"),
        "power_default_w": number("power.default_limit"),
        "power_min_w": number("power.min_limit"),
        "power_max_w": number("power.max_limit"),
        "mig": shown.get("mig.mode.current") == "Enabled",
    }
