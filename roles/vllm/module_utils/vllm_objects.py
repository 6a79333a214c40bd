"""Parts of the engines' Kubernetes objects: the code in them, and the roads between pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vllm_engine import PORT

Entry = Mapping[str, Any]


def code(pattern: str) -> dict[str, str]:
    """Return the matching files of files/arbiter, by name."""
    folder = Path(__file__).resolve().parents[3] / "files/arbiter"
    return {file.name: file.read_text() for file in sorted(folder.glob(pattern))}


def ingress(arbiter: Entry, metrics_clients: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return who may come in: the arbiter, and who reads the metrics."""
    peers = [{"podSelector": {"matchLabels": dict(arbiter)}}, *map(dict, metrics_clients)]
    return [{"from": peers, "ports": [_tcp(PORT)]}]


def egress(arbiter: Entry, url: str, offline: bool) -> list[dict[str, Any]]:
    """Return where engines may go: the arbiter, and unless offline to any address by HTTPS."""
    to = [{"podSelector": {"matchLabels": dict(arbiter)}}]
    rules: list[dict[str, Any]] = [{"to": to, "ports": [_tcp(urlsplit(url).port or 80)]}]
    return rules if offline else [*rules, {"ports": [_tcp(443)]}]


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}
