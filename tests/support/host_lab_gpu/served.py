"""A web server for servers in containers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from synapse_testbed.podman import podman

GATEWAY = ("network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}")


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder for as long as the block runs; yield its address as containers see it."""
    with ThreadingHTTPServer(("0.0.0.0", port), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{podman(*GATEWAY).strip()}:{server.server_address[1]}"
        finally:
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
