"""A registry in the server's LAN, a mirror that K3s pulls from: images that the testbed built.

It answers what containerd asks when it pulls: a manifest by its tag or digest, and blobs.
"""

import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from synapse_testbed.oci import MANIFEST, Blob, Image
from synapse_testbed.podman import podman

ASKED = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<which>[^/?]+)(\?.*)?")


@contextmanager
def serving(images: Sequence[Image]) -> Iterator[str]:
    """Serve images for as long as the block runs; their names stay as they are, less the host."""
    manifests: dict[str, Blob] = {}
    blobs: dict[str, Blob] = {}
    for image in images:
        manifest, found = image.blobs()
        blobs |= {f"sha256:{blob.digest}": blob for blob in found}
        name, _, tag = image.reference.partition("/")[2].rpartition(":")
        manifests |= {f"{name}:{tag}": manifest, f"{name}:sha256:{manifest.digest}": manifest}
    handler = type("Handler", (_Handler,), {"manifests": manifests, "blobs": blobs})
    query = ["network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}"]
    with ThreadingHTTPServer(("0.0.0.0", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{podman(*query).strip()}:{server.server_address[1]}"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    manifests: dict[str, Blob]
    blobs: dict[str, Blob]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Give what is asked for."""
        self._serve(with_body=True)

    def do_HEAD(self) -> None:
        """Say whether it is there."""
        self._serve(with_body=False)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self, *, with_body: bool) -> None:
        asked = ASKED.fullmatch(self.path)
        if not asked:
            return self.send_error(404)
        if asked["kind"] == "manifests":
            blob, kind = self.manifests.get(f"{asked['name']}:{asked['which']}"), MANIFEST
        else:
            blob, kind = self.blobs.get(asked["which"]), "application/octet-stream"
        if blob is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(blob.size))
        self.send_header("Docker-Content-Digest", f"sha256:{blob.digest}")
        self.end_headers()
        if with_body:
            self._send(blob.source)
        return None

    def _send(self, source: bytes | Path) -> None:
        if isinstance(source, bytes):
            self.wfile.write(source)
        else:
            with source.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)
