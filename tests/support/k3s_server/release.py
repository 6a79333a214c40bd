"""A release of K3s over HTTP, with real checksums, that can be tampered with and cut."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VERSION = "v1.36.3+k3s1"
IMAGES = "k3s-airgap-images-amd64.tar.zst"
SUMS = "sha256sum-amd64.txt"


class Release:
    """The files of a release, by name, and how they are answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files = {"k3s": b"#!k3s " * 4000, IMAGES: b"images " * 9000}
        self.files[SUMS] = self.sums()
        self.cut_after: dict[str, int] = {}
        self.codes: dict[str, int] = {}
        self.knows_ranges = True
        self.asked: list[str] = []

    def sums(self) -> bytes:
        """The file of checksums, as a release has it."""
        lines = [
            f"{hashlib.sha256(body).hexdigest()}  {name}\n"
            for name, body in sorted(self.files.items())
            if name != SUMS
        ]
        return "".join([f"{'0' * 64}  k3s-arm64\n", *lines]).encode()


@contextmanager
def served() -> Iterator[Release]:
    """Serve a release for a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            prefix, name = self.path.rsplit("/", 1)
            release.asked.append(name)
            code = release.codes.get(name, 200)
            if prefix != "/download/v1.36.3%2Bk3s1" or name not in release.files:
                code = 404
            if code != 200:
                self.send_error(code)
                return
            body, start = release.files[name], 0
            if (said := self.headers.get("Range")) and release.knows_ranges:
                start = int(said.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
            else:
                self.send_response(200)
            body = body[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: release.cut_after.get(name, len(body))])

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    release = Release(f"http://127.0.0.1:{server.server_address[1]}/download")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield release
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tree(root: Path) -> dict[str, tuple[int, str]]:
    """Everything below a folder: the mode and checksum, or the target, of each file."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = (0, f"-> {path.readlink()}")
        elif path.is_file():
            text = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = (path.stat().st_mode & 0o7777, text)
    return found
