"""The part of the registry protocol that a pull uses: manifests and blobs with ranges.

The repository's name chooses the behaviour: `ok`, `slow` (trickles until released), `stuck`
(announces a blob and sends nothing), `truncated` (hangs up in the middle of the blob) and
`huge` (announces 1 TiB). Any other name is not there. The tag chooses the content.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

BEHAVIOURS = ("ok", "slow", "stuck", "truncated", "huge")
TRICKLES = 20
TRICKLE_S = 0.1
HUGE_BYTES = 1024**4


def gguf(tag: str, size: int = 4096) -> bytes:
    """Return the smallest file Ollama takes for a model; its content depends on the tag."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    values = {"general.architecture": "llama", "general.name": tag, "padding": "x" * size}
    entries = [text(key) + struct.pack("<I", 8) + text(value) for key, value in values.items()]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + b"".join(entries)


def digest_of(data: bytes) -> str:
    """Return the name of a blob."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    """Listens on 127.0.0.1 while the context is open."""

    def __init__(self, port: int = 0) -> None:
        """Bind; port 0 takes a free one."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.name = f"127.0.0.1:{self._server.server_address[1]}"

    def source(self, behaviour: str, tag: str = "1") -> str:
        """Return the model name that is pulled with this behaviour."""
        return f"{self.name}/library/{behaviour}:{tag}"

    def __enter__(self) -> Registry:
        """Start answering."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop and free the port."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def _answer(self, *, body: bool) -> None:
        match = re.fullmatch(r"/v2/library/(\w+)/(manifests|blobs|store)/([\w:.-]+)", self.path)
        if not match or match[1] not in BEHAVIOURS:
            self._send(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', body=body)
        elif match[2] == "manifests":
            self._send(200, _manifest(match[1], match[3]), body=body)
        elif match[2] == "blobs" and body:
            self._redirect(self.path.replace("/blobs/", "/store/"))
        else:
            self._blob(match[1], match[3], body=body)

    def _redirect(self, path: str) -> None:
        """Point at the store of blobs; Ollama insists that its host has another name."""
        port = self.headers["Host"].rpartition(":")[2]
        self.send_response(307)
        self.send_header("Location", f"http://localhost:{port}{path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _blob(self, behaviour: str, digest: str, *, body: bool) -> None:
        data = _BLOBS[digest]
        announced = _announced(behaviour, digest)
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(span[1]), int(span[2])) if span else (0, announced - 1)
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if body:
            with contextlib.suppress(ConnectionError):  # a cancelled pull hangs up
                self._trickle(behaviour, data[first : last + 1])

    def _trickle(self, behaviour: str, data: bytes) -> None:
        if behaviour == "ok":
            self.wfile.write(data)
            return
        self.close_connection = True
        if behaviour == "truncated":
            self.wfile.write(data[: len(data) // 2])
        elif behaviour == "stuck":
            threading.Event().wait(timeout=60)
        elif behaviour == "slow":
            step = max(1, len(data) // TRICKLES)
            for start in range(0, len(data), step):
                self.wfile.write(data[start : start + step])
                threading.Event().wait(timeout=TRICKLE_S)

    def _send(self, status: int, data: bytes, *, body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


_BLOBS: dict[str, bytes] = {}


def _keep(data: bytes) -> str:
    digest = digest_of(data)
    _BLOBS[digest] = data
    return digest


def _announced(behaviour: str, digest: str) -> int:
    data = _BLOBS[digest]
    return HUGE_BYTES if behaviour == "huge" and data.startswith(b"GGUF") else len(data)


def _manifest(behaviour: str, tag: str) -> bytes:
    model = _keep(gguf(f"{behaviour}-{tag}"))
    config = _keep(json.dumps({"model_format": "gguf", "model_family": "llama"}).encode())
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "digest": config,
                "size": _announced(behaviour, config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.ollama.image.model",
                    "digest": model,
                    "size": _announced(behaviour, model),
                }
            ],
        }
    ).encode()
