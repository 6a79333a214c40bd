"""Stands in for the place of K3s' releases: real files and checksums, and every way to fail.

`python -m host_lab.artefacts` serves it on a port of all addresses, so servers in containers
reach it; tests start it in their own process and say how it fails.
"""

import argparse
import os
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from host_lab import k3s
from synapse_testbed.cache import Cache
from synapse_testbed.podman import podman
from synapse_testbed.settings import from_environment

PIECE = 1 << 20


@dataclass
class Fault:
    """How one file is served wrongly; as it is made, not at all wrongly."""

    status: int = 0
    """Answer with this status instead."""
    change_byte: int | None = None
    """The byte at this place is another one."""
    text: str | None = None
    """The file has this content."""
    cut_after: int | None = None
    """The connection breaks after so many bytes of an answer, as often as it is asked."""
    pause_s: float = 0
    """So long before every piece."""


@dataclass
class Releases:
    """The files that are served, the faults that a test has set, and what was asked for."""

    folders: dict[str, Path]
    """The folder of each version."""
    faults: dict[str, Fault] = field(default_factory=dict)
    """By the file's name."""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def url(self) -> str:
        """Return the address for servers in containers, without version and file."""
        return f"http://{gateway()}:{self.port}"


def gateway() -> str:
    """Return this machine's address as servers in containers see it."""
    query = ["network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}"]
    return podman(*query).strip()


@contextmanager
def serving(
    folders: dict[str, Path], port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Releases]:
    """Serve the folders of some versions for as long as the block runs."""
    releases = Releases(folders)
    handler = type("Handler", (_Handler,), {"releases": releases})
    with ThreadingHTTPServer(("0.0.0.0", port), handler) as server:
        releases.port = server.server_address[1]
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield releases
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    releases: Releases
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Serve a file, whole or from where the last try broke off."""
        self._serve(with_body=True)

    def do_HEAD(self) -> None:
        """Serve what is known of a file."""
        self._serve(with_body=False)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self, *, with_body: bool) -> None:
        parts = unquote(self.path).strip("/").split("/")
        self.releases.asked.append("/".join(parts))
        folder = self.releases.folders.get(parts[-2] if len(parts) > 1 else "")
        fault = self.releases.faults.get(parts[-1], Fault())
        if folder is None or not (folder / parts[-1]).is_file() or fault.status:
            return self.send_error(fault.status or 404)
        file = folder / parts[-1]
        text = None if fault.text is None else fault.text.encode()
        size = file.stat().st_size if text is None else len(text)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(asked[1]) if asked else 0
        if asked and start >= size:
            return self.send_error(416)
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if with_body and not self._send(file, text, start, fault):
            self.close_connection = True
        return None

    def _send(self, file: Path, text: bytes | None, start: int, fault: Fault) -> bool:
        """Send the body; False when it is cut."""
        sent = 0
        with file.open("rb") as source:
            source.seek(start)
            while piece := source.read(PIECE) if text is None else text[start + sent :]:
                time.sleep(fault.pause_s)
                at = start + sent
                if fault.change_byte is not None and at <= fault.change_byte < at + len(piece):
                    changed = bytearray(piece)
                    changed[fault.change_byte - at] ^= 1
                    piece = bytes(changed)
                if fault.cut_after is not None and sent + len(piece) > fault.cut_after:
                    self.wfile.write(piece[: fault.cut_after - sent])
                    return False
                try:
                    self.wfile.write(piece)
                except ConnectionError:
                    return False
                sent += len(piece)
        return True


def main() -> None:
    """Serve the pinned release until interrupted."""
    parser = argparse.ArgumentParser(prog="host_lab.artefacts", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    with Cache(from_environment(os.environ).cache) as cache:
        folder = k3s.release(cache)
        with serving({k3s.version(): folder}, port) as releases:
            print(f"k3s_download_url={releases.url()}  # {folder}", flush=True)
            threading.Event().wait()


if __name__ == "__main__":
    main()
