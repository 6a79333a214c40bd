"""The units of systemd that matter."""

from __future__ import annotations

from .server import Server

CLOCKS = (
    "chrony.service", "chronyd.service", "systemd-timesyncd.service", "ntpsec.service",
    "ntp.service", "ntpd-rs.service", "openntpd.service",
)  # fmt: skip
UNITS = ("k3s.service", "k3s-agent.service", "ufw.service", "firewalld.service",
         "nftables.service", *CLOCKS)  # fmt: skip


def units_of(server: Server) -> dict[str, dict[str, str]]:
    """Return the properties of the units that matter, by the name that was asked for."""
    wanted = "Id,Names,LoadState,ActiveState,MainPID,ExecStart"
    said = server.run("systemctl", "show", f"--property={wanted}", *UNITS)[1]
    found: dict[str, dict[str, str]] = {}
    for block in said.split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        for name in (unit.get("Id", ""), *unit.get("Names", "").split()):
            found[name] = unit
    return found


def state_of(units: dict[str, dict[str, str]], name: str) -> str:
    """Return a unit's state in one word."""
    unit = units.get(name, {})
    if unit.get("LoadState", "not-found") in ("not-found", "masked"):
        return "absent"
    active = unit.get("ActiveState", "")
    if active in ("active", "activating", "reloading", "refreshing"):
        return "active"
    return "failed" if active == "failed" else "inactive"
