"""Ollama's HTTP API, and its volume, which the fetcher's pod has mounted too."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from synapse_ollama.plan import FileStat, State, Tag

ANSWER_LIMIT_S = 60.0
CREATE_LIMIT_S = 3600.0
BLOCK_BYTES = 2**20

RECORD = "synapse-models.json"
RATE = "synapse-rate.json"


class OllamaError(RuntimeError):
    """Ollama refused or did not answer; the message is the reason."""


class Ollama:
    """What is asked of Ollama, and what lies beside its models."""

    def __init__(self, url: str, data: Path, files: Path) -> None:
        """Take its address, its volume and the folder with the node's GGUF files."""
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), parts.port or 80
        self._data = data
        self._files = files

    def state(self) -> State:
        """Read everything the plan needs."""
        return State(self.tags(), _read(self._data / RECORD), self.files(), self.free_bytes())

    def files(self) -> dict[str, FileStat]:
        """List the GGUF files of the node; what cannot be looked at counts as not there."""
        found: dict[str, FileStat] = {}
        for path in self._files.glob("*.gguf"):
            with contextlib.suppress(OSError):
                if path.is_file():
                    stat = path.stat()
                    found[path.name] = FileStat(stat.st_size, int(stat.st_mtime))
        return found

    def tags(self) -> dict[str, Tag]:
        """List the models on the volume."""
        found = json.loads(b"".join(self._lines("GET", "/api/tags", None, ANSWER_LIMIT_S)))
        return {model["name"]: Tag(model["digest"], model["size"]) for model in found["models"]}

    def free_bytes(self) -> int:
        """Measure the free space of the volume."""
        found = os.statvfs(self._data)
        return found.f_bavail * found.f_frsize

    def pull(self, source: str, *, insecure: bool, stall_s: float) -> Iterator[dict[str, Any]]:
        """Pull a model and yield the events of its progress; leaving early ends the pull."""
        yield from self._events("/api/pull", {"model": source, "insecure": insecure}, stall_s)

    def create(self, name: str, source: str, settings: Mapping[str, Any]) -> None:
        """Make a model from another one on the volume."""
        self._create({"model": name, "from": source, **settings})

    def create_from(self, name: str, file: str, settings: Mapping[str, Any]) -> None:
        """Make a model from a GGUF file of the node, which Ollama copies onto its volume."""
        try:
            with (self._files / file).open("rb") as content:
                digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
                if not self._has(digest):
                    content.seek(0)
                    self._send(digest, content)
        except OSError as error:
            raise OllamaError(f"{file} cannot be read: {error.strerror or error}") from error
        self._create({"model": name, "files": {file: digest}, **settings})

    def delete(self, name: str) -> None:
        """Remove a model; Ollama frees the layers nobody else uses."""
        list(self._lines("DELETE", "/api/delete", {"model": name}, ANSWER_LIMIT_S))

    def remember(self, record: Mapping[str, Any]) -> None:
        """Keep our record beside the models."""
        _write(self._data / RECORD, record)

    def rate_bytes_s(self) -> float | None:
        """Return what downloads were measured to bring in a second; None: nobody has measured."""
        return _read(self._data / RATE).get("bytes_s")

    def keep_rate(self, bytes_s: float) -> None:
        """Keep what a download was measured to bring in a second."""
        _write(self._data / RATE, {"bytes_s": bytes_s})

    def _create(self, body: Mapping[str, Any]) -> None:
        for event in self._events("/api/create", body, CREATE_LIMIT_S):
            if "error" in event:
                raise OllamaError(str(event["error"]))

    def _has(self, digest: str) -> bool:
        with self._asked("HEAD", f"/api/blobs/{digest}", None, ANSWER_LIMIT_S) as answer:
            return answer.status == 200

    def _send(self, digest: str, content: IO[bytes]) -> None:
        size = os.fstat(content.fileno()).st_size
        path, headers = f"/api/blobs/{digest}", {"Content-Length": str(size)}
        with self._asked("POST", path, content, CREATE_LIMIT_S, headers) as answer:
            _must_be_well(answer)

    def _events(self, path: str, body: Any, limit_s: float) -> Iterator[dict[str, Any]]:
        for line in self._lines("POST", path, body, limit_s):
            if line.strip():
                yield json.loads(line)

    def _lines(self, method: str, path: str, body: Any, limit_s: float) -> Iterator[bytes]:
        written = None if body is None else json.dumps(body).encode()
        with self._asked(method, path, written, limit_s) as answer:
            _must_be_well(answer)
            try:
                yield from answer
            except (OSError, HTTPException) as error:
                raise OllamaError(f"its answer broke off: {error or type(error)}") from error

    @contextlib.contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        body: bytes | IO[bytes] | None,
        limit_s: float,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[HTTPResponse]:
        """Send a request; limit_s bounds each wait for more of its answer."""
        connection = HTTPConnection(self._host, self._port, timeout=limit_s, blocksize=BLOCK_BYTES)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
            except (OSError, HTTPException) as error:
                raise OllamaError(f"Ollama does not answer: {error or type(error)}") from error
            yield answer


def _must_be_well(answer: HTTPResponse) -> None:
    if answer.status > 299:
        text = answer.read().decode(errors="replace")
        try:
            text = str(json.loads(text)["error"])
        except (ValueError, KeyError, TypeError):
            text = text[:600] or f"it answered {answer.status}"
        raise OllamaError(text)


def _read(file: Path) -> dict[str, Any]:
    """Read a note of ours; one that cannot be read counts as none, and is written anew."""
    try:
        parsed = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _write(file: Path, content: Mapping[str, Any]) -> None:
    """Write beside and move: an interrupted run leaves the old note or the new one."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(json.dumps(content, sort_keys=True))
    new.replace(file)
