"""Hugging Face in a folder: what the real huggingface_hub asks the network is answered from here.

There is one model that hears and one voice. The repository Systran/faster-whisper-tiny.en and all
of the owner `simulated` hold the former; every voice of rhasspy/piper-voices is the latter, which
says of itself the language in its name. What has `missing` in its name is not there, and of a
repository with `slow` in its name ten megabytes take three seconds.
"""

import io
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
import urllib3
from huggingface_hub import configure_http_backend
from requests.adapters import BaseAdapter

FOLDER = Path("/opt/hugging-face")
COMMIT = "0" * 40
VOICES, WHISPER, OWNER = "rhasspy/piper-voices", "Systran/faster-whisper-tiny.en", "simulated/"
VOICE = re.compile(r"(?P<code>(?P<language>[a-z]+)_[A-Z]+)-[^-]+-[^-]+\.onnx(?P<facts>\.json)?")
PIECE_S = 3.0
ESPEAK = {"en_US": "en-us"}


def install(folder: Path = FOLDER) -> None:
    """Have huggingface_hub ask this folder."""

    def session() -> requests.Session:
        made = requests.Session()
        made.mount("https://", Folder(folder))
        return made

    configure_http_backend(session)


class Folder(BaseAdapter):
    """Answers as huggingface.co does: sizes, heads, files and parts of files."""

    def __init__(self, folder: Path) -> None:
        """Take what is in this folder."""
        super().__init__()
        self._folder = folder

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Answer a request."""
        path = unquote(urlsplit(str(request.url)).path).removeprefix("/")
        if path.startswith("api/models/"):
            repository = path.removeprefix("api/models/").partition("/paths-info/")[0]
            return self._sizes(request, repository)
        repository, _, rest = path.partition("/resolve/")
        return self._file(request, repository, rest.partition("/")[2])

    def close(self) -> None:
        """Hold nothing."""

    def _sizes(self, request: requests.PreparedRequest, repository: str) -> requests.Response:
        if not known(repository):
            return _answer(request, 401, {"x-error-code": "RepoNotFound"})
        asked = parse_qs(str(request.body))["paths"]
        found = {path: content(self._folder, repository, path) for path in asked}
        told = [
            {"type": "file", "path": path, "size": len(data), "oid": _etag(path)}
            for path, data in found.items()
            if data is not None
        ]
        body = io.BytesIO(json.dumps(told).encode())
        return _answer(request, 200, {"content-type": "application/json"}, body)

    def _file(
        self, request: requests.PreparedRequest, repository: str, path: str
    ) -> requests.Response:
        if not known(repository):
            return _answer(request, 401, {"x-error-code": "RepoNotFound"})
        data = content(self._folder, repository, path)
        if data is None:
            return _answer(request, 404, {"x-error-code": "EntryNotFound"})
        headers = {"etag": f'"{_etag(path)}"', "x-repo-commit": COMMIT, "accept-ranges": "bytes"}
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start:
            headers["content-range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        headers["content-length"] = str(len(data) - start)
        body = Slowly(data[start:]) if "slow" in repository else io.BytesIO(data[start:])
        status = 206 if start else 200
        return _answer(request, status, headers, None if request.method == "HEAD" else body)


class Slowly(io.BytesIO):
    """A body that takes its time for each large piece."""

    def read(self, size: int | None = -1) -> bytes:
        """Return the next piece, late."""
        found = super().read(size)
        if len(found) > 1024**2:
            time.sleep(PIECE_S)
        return found


def known(repository: str) -> bool:
    """Tell whether there is such a repository."""
    there = repository in (VOICES, WHISPER) or repository.startswith(OWNER)
    return there and "missing" not in repository


def content(folder: Path, repository: str, path: str) -> bytes | None:
    """Return what is in a file, if it is there."""
    if repository != VOICES:
        file = folder / "whisper" / path
        return file.read_bytes() if file.is_file() else None
    named = VOICE.fullmatch(path.rpartition("/")[2])
    if not named or "missing" in path:
        return None
    if not named["facts"]:
        return (folder / "voice/voice.onnx").read_bytes()
    facts = json.loads((folder / "voice/voice.onnx.json").read_text())
    code = named["code"]
    facts["language"] = {**facts["language"], "code": code}
    facts["espeak"] = {"voice": ESPEAK.get(code, named["language"])}
    return json.dumps(facts).encode()


def _etag(path: str) -> str:
    return path.replace("/", "-")


def _answer(
    request: requests.PreparedRequest,
    status: int,
    headers: dict[str, str],
    body: io.BytesIO | None = None,
) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.url, answer.request = status, str(request.url), request
    answer.headers.update(headers)
    answer.raw = urllib3.HTTPResponse(
        body or io.BytesIO(),
        headers=headers,
        status=status,
        preload_content=False,
        request_method=request.method,
    )
    return answer
