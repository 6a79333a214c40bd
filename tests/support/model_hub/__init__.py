"""A small Hugging Face on this machine: sizes, files, ranges, and the faults of the real one."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LIMIT_S = 60


class Hub:
    """Repositories of files; `requests` holds what was asked, `cuts` where a file breaks off."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.faults: dict[str, tuple[int, str]] = {}
        self.requests: list[str] = []
        self.cuts: dict[str, list[int]] = {}
        """For each file after how many bytes its next answers break off."""
        self.halfway = threading.Event()
        self.gate: threading.Event | None = None
        """Closed: half of model.bin leaves, then nothing until it opens."""
        handler = type("Bound", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        if self.gate:
            self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def asked(self, file: str) -> list[str]:
        """Return the GET requests for a file, with their range."""
        return [told for told in self.requests if told.startswith("GET") and f"/{file} " in told]


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[Hub]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._file()

    def do_GET(self) -> None:
        self._file()

    def do_POST(self) -> None:
        """Tell the sizes of files."""
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.hub.requests.append(f"POST {self.path}")
        repository = self.path.removeprefix("/api/models/").partition("/paths-info/")[0]
        files = self._files(repository)
        if files is None:
            return
        told = [
            {"type": "file", "path": path, "size": len(files[path]), "oid": _etag(files[path])}
            for path in parse_qs(body)["paths"]
            if path in files
        ]
        self._answer(200, json.dumps(told).encode(), {"content-type": "application/json"})

    def _file(self) -> None:
        told = f"{self.command} {unquote(self.path)} {self.headers.get('range', '')}"
        self.hub.requests.append(told)
        repository, _, rest = unquote(self.path).removeprefix("/").partition("/resolve/")
        file = rest.partition("/")[2]
        files = self._files(repository)
        if files is None:
            return
        if file not in files:
            self._answer(404, b"", {"x-error-code": "EntryNotFound"})
            return
        content = files[file]
        headers = {"etag": f'"{_etag(content)}"', "x-repo-commit": COMMIT, "accept-ranges": "bytes"}
        start = int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start:
            headers["content-range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._answer(206 if start else 200, content[start:], headers, file)

    def _files(self, repository: str) -> dict[str, bytes] | None:
        if repository in self.hub.faults:
            status, code = self.hub.faults[repository]
            self._answer(status, b"{}", {"x-error-code": code})
            return None
        if repository not in self.hub.repositories:
            # The real one tells strangers nothing of what may be private.
            self._answer(401, b"{}", {"x-error-code": "RepoNotFound"})
            return None
        return self.hub.repositories[repository]

    def _answer(self, status: int, body: bytes, headers: dict[str, str], file: str = "") -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        cuts = self.hub.cuts.get(file)
        if cuts:
            self.wfile.write(body[: cuts.pop(0)])
            self.close_connection = True
            return
        if file == "model.bin" and self.hub.gate is not None:
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.wfile.flush()
            self.hub.halfway.set()
            self.hub.gate.wait(LIMIT_S)
            body = body[half:]
        self.wfile.write(body)


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
