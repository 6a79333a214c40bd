"""What the roles' NetworkPolicies share."""

from __future__ import annotations

from typing import Any


def tcp(port: int) -> dict[str, Any]:
    """Return a port of a policy's rule."""
    return {"protocol": "TCP", "port": int(port)}
