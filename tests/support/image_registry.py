"""An image registry of the tests' own: tags with manifests, read with a token that anybody gets."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlparse

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def body(kind: str, name: str) -> bytes:
    """What the registry holds behind a tag, different for every name."""
    platforms = [{"platform": {"architecture": name, "os": "linux"}}]
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": platforms}).encode()


def digest(content: bytes) -> str:
    """The digest of a manifest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Registry:
    """What it holds and how it misbehaves; `seen` are the requests that it got."""

    address: str = ""
    held: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    lies: set[str] = field(default_factory=set)
    gives_tokens: bool = True
    challenge: str = 'Bearer realm="http://{address}/token",service="test",scope="{scope}"'
    seen: list[str] = field(default_factory=list)

    def add(self, image: str, kind: str = INDEX) -> str:
        """Hold an image, `repository:tag`; return its digest."""
        self.held[image] = body(kind, image)
        return digest(self.held[image])

    def answer(self, path: str, headers: Any) -> tuple[int, dict[str, str], bytes]:
        """Answer one GET: status, headers, body."""
        asked = urlparse(path)
        if asked.path == "/token":
            scope = parse_qs(asked.query)["scope"][0]
            token = {"token": f"for {scope}"}
            return (200, {}, json.dumps(token).encode()) if self.gives_tokens else (403, {}, b"")
        repository, _, tag = asked.path.removeprefix("/v2/").partition("/manifests/")
        scope, image = f"repository:{repository}:pull", f"{repository}:{tag}"
        if headers.get("Authorization") != f"Bearer for {scope}":
            challenge = self.challenge.format(address=self.address, scope=scope)
            return 401, {"WWW-Authenticate": challenge}, b""
        if status := self.statuses.get(image):
            return status, {}, b""
        if image not in self.held or INDEX not in headers.get("Accept", ""):
            return 404, {}, b""
        content = self.held[image]
        told = digest(b"another") if image in self.lies else digest(content)
        return 200, {"Docker-Content-Digest": told}, content


@contextmanager
def running() -> Iterator[Registry]:
    """A registry that answers on this machine while the block runs."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.seen.append(self.path)
            status, headers, content = registry.answer(self.path, self.headers)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.address = f"127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
