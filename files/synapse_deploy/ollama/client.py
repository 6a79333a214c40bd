"""Ollama's HTTP API and its volume, behind a door that a test can replace."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from synapse_deploy.ollama.plan import FileStat, State, Tag

ANSWER_LIMIT_S = 60.0
SHELL_LIMIT_S = 60.0
CREATE_LIMIT_S = 3600.0

DATA = "/data"
FILES = "/model-files"
RECORD = "synapse-models.json"

# One round trip for all that HTTP does not tell: free space, files of the node, our record.
SURVEY = """df -Pk "$1" | tail -n 1
for file in "$2"/*.gguf; do [ -e "$file" ] && stat -L -c '%s %Y %n' "$file"; done
echo ---
cat "$1/$3" 2>/dev/null || echo '{}'"""
FREE = 'df -Pk "$1" | tail -n 1'
# Written beside and moved, so that an interrupted run leaves the old record or the new one.
REMEMBER = 'printf %s "$3" > "$1/$2.new" && mv "$1/$2.new" "$1/$2"'
CREATE = 'printf %s "$1" | ollama create "$2" -f /dev/stdin'


class OllamaError(RuntimeError):
    """Ollama refused or did not answer; the message is the reason."""


class Door(Protocol):
    """The two ways in: HTTP requests to Ollama and commands in its container."""

    def lines(self, method: str, path: str, body: Any, limit_s: float) -> Iterator[bytes]:
        """Yield the lines of an answer; limit_s bounds each wait for more; raise OllamaError."""
        ...

    def run(self, command: list[str], limit_s: float) -> str:
        """Return what a command prints; raise OllamaError where it fails."""
        ...


class Ollama:
    """What a deployment asks of Ollama."""

    def __init__(self, door: Door, data: str = DATA, files: str = FILES) -> None:
        """Take the door and the two folders as the container sees them."""
        self._door = door
        self._data = data
        self.files = files

    def state(self) -> State:
        """Read everything the plan needs, in two round trips."""
        survey = self._shell(SURVEY, self._data, self.files, RECORD)
        head, _, record = survey.partition("---\n")
        disk, *stats = head.splitlines()
        return State(self.tags(), _parsed(record), dict(map(_file, stats)), _free(disk))

    def tags(self) -> dict[str, Tag]:
        """List the models on the volume."""
        found = json.loads(b"".join(self._door.lines("GET", "/api/tags", None, ANSWER_LIMIT_S)))
        return {model["name"]: Tag(model["digest"], model["size"]) for model in found["models"]}

    def free_bytes(self) -> int:
        """Measure the free space of the volume."""
        return _free(self._shell(FREE, self._data))

    def pull(self, source: str, *, insecure: bool, stall_s: float) -> Iterator[dict[str, Any]]:
        """Pull a model and yield the events of its progress."""
        return self._events("/api/pull", {"model": source, "insecure": insecure}, stall_s)

    def create(self, name: str, source: str, settings: Mapping[str, Any]) -> None:
        """Make a model from another one on the volume."""
        body = {"model": name, "from": source, **settings}
        for event in self._events("/api/create", body, CREATE_LIMIT_S):
            if "error" in event:
                raise OllamaError(str(event["error"]))

    def create_from(self, name: str, modelfile: str) -> None:
        """Make a model from a Modelfile that names a file in the container."""
        self._shell(CREATE, modelfile, name, limit_s=CREATE_LIMIT_S)

    def delete(self, name: str) -> None:
        """Remove a model; Ollama frees the layers nobody else uses."""
        list(self._door.lines("DELETE", "/api/delete", {"model": name}, ANSWER_LIMIT_S))

    def remember(self, record: Mapping[str, Any]) -> None:
        """Keep our record beside the models."""
        self._shell(REMEMBER, self._data, RECORD, json.dumps(record, sort_keys=True))

    def _events(self, path: str, body: Any, limit_s: float) -> Iterator[dict[str, Any]]:
        for line in self._door.lines("POST", path, body, limit_s):
            if line.strip():
                yield json.loads(line)

    def _shell(self, script: str, *values: str, limit_s: float = SHELL_LIMIT_S) -> str:
        return self._door.run(["sh", "-c", script, "sh", *values], limit_s)


def _free(df_line: str) -> int:
    return int(df_line.split()[3]) * 1024


def _file(stat_line: str) -> tuple[str, FileStat]:
    size, modified, path = stat_line.split(" ", 2)
    return path.rpartition("/")[2], FileStat(int(size), int(modified))


def _parsed(record: str) -> dict[str, Any]:
    """Read our record; one that cannot be read counts as none, and the models are made again."""
    try:
        parsed = json.loads(record)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
