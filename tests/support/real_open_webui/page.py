"""One running Open WebUI, and what its page asks of it for the person who sits before it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from free_ports import free_ports
from gateway_process import until
from http_process import serving
from real_open_webui import installation

START_S = 180
ANSWER_S = 90
ADMIN = "admin@localhost"
PASSWORD = secrets.token_hex(12)
TASKS = {"title_generation": True, "tags_generation": True, "follow_up_generation": True}
REFERENCE = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True)
class Page:
    """A page whose first user is signed in."""

    url: str
    http: httpx.Client
    process: subprocess.Popen[bytes]
    started_s: float

    def menu(self) -> list[str]:
        """Return the names that a person chooses from."""
        models = self.http.get("/api/models").raise_for_status().json()["data"]
        shown = [one for one in models if not _is_hidden(one)]
        return [str(one["id"]) for one in shown]

    def ask(self, model: str, content: Any, **more: Any) -> httpx.Response:
        """Ask a question outside any chat, as programs do; the answer comes as it is."""
        asked = {"model": model, "messages": [{"role": "user", "content": content}], **more}
        return self.http.post("/api/chat/completions", json=asked)

    def send(self, model: str, text: str, **more: Any) -> str:
        """Send the first message of a new chat as the page does; return the chat's id."""
        user, answer = str(uuid4()), str(uuid4())
        said = {
            "id": user, "parentId": None, "childrenIds": [answer], "role": "user", "content": text,
            "models": [model], "timestamp": int(time.time()), **more,
        }  # fmt: skip
        asked = {
            "model": model,
            "messages": [{"role": "user", "content": text}],
            "stream": True,
            "session_id": str(uuid4()),
            "parent_id": None,
            "id": answer,
            "user_message": said,
            "background_tasks": TASKS,
            "features": {},
            **more,
        }
        told = self.http.post("/api/chat/completions", json=asked).raise_for_status().json()
        return str(told["chat_id"])

    def chat(self, chat_id: str) -> dict[str, Any]:
        """Return a chat as it is kept."""
        return dict(self.http.get(f"/api/v1/chats/{chat_id}").raise_for_status().json())

    def reply(self, chat_id: str) -> dict[str, Any]:
        """Return the newest answer of a chat, whole or not."""
        history = self.chat(chat_id)["chat"]["history"]
        return dict(history["messages"][history["currentId"]])

    def answered(self, chat_id: str) -> dict[str, Any]:
        """Wait for the newest answer of a chat and return it."""
        found: dict[str, Any] = {}

        def done() -> bool:
            found.update(self.reply(chat_id))
            return bool(found.get("done") or found.get("error"))

        until(done, ANSWER_S, lambda: f"no answer: {found}")
        return found

    def stop(self, chat_id: str) -> None:
        """Press the button that stops an answer."""
        self.http.post(f"/api/tasks/chat/{chat_id}/stop").raise_for_status()

    def upload(self, name: str, text: str) -> dict[str, Any]:
        """Add a document, and wait until it can be asked about."""
        files = {"file": (name, text.encode(), "text/plain")}
        added = self.http.post("/api/v1/files/", files=files).raise_for_status().json()
        told: dict[str, Any] = {}

        def processed() -> bool:
            told.update(self.http.get(f"/api/v1/files/{added['id']}/process/status").json())
            return told.get("status") in ("completed", "failed")

        until(processed, ANSWER_S, lambda: f"not processed: {told}")
        assert told["status"] == "completed", told
        return {"type": "file", "id": added["id"], "name": name, "file": added}

    def memory_mib(self) -> int:
        """Return what the process holds of the machine's memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) // 1024


def _is_hidden(model: Mapping[str, Any]) -> bool:
    return bool(((model.get("info") or {}).get("meta") or {}).get("hidden"))


def as_in_a_pod(variables: list[dict[str, Any]], keys: Mapping[str, str]) -> dict[str, str]:
    """Return a pod's variables as Kubernetes fills them in; `keys` holds the Secrets' entries."""
    found: dict[str, str] = {}
    for one in variables:
        if "valueFrom" in one:
            found[one["name"]] = keys[one["valueFrom"]["secretKeyRef"]["key"]]
        else:  # only what stands before
            found[one["name"]] = REFERENCE.sub(lambda match: found[match[1]], one["value"])
    return found


@contextlib.contextmanager
def opened(folder: Path, variables: Mapping[str, str]) -> Iterator[Page]:
    """Start it with these variables, sign its first user in, and end it with the block."""
    (port,) = free_ports(1)
    command = [str(installation.python().with_name("open-webui")), "serve"]
    url, began_s = f"http://127.0.0.1:{port}", time.monotonic()
    scratch = folder / "scratch"
    scratch.mkdir()
    place = {"DATA_DIR": folder / "data", "STATIC_DIR": scratch / "static", "HOME": scratch}
    environment = {
        "PATH": os.environ["PATH"], **variables, **{name: str(path) for name, path in place.items()}
    }  # fmt: skip
    log = folder / "open-webui.log"
    with serving(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        url, log, start_s=START_S, environment=environment, cwd=folder,
    ) as process:  # fmt: skip
        started_s = time.monotonic() - began_s
        with httpx.Client(base_url=url, timeout=ANSWER_S) as http:
            form = {"email": ADMIN, "password": variables["WEBUI_ADMIN_PASSWORD"]}
            signed_in = http.post("/api/v1/auths/signin", json=form).raise_for_status().json()
            http.headers["authorization"] = f"Bearer {signed_in['token']}"
            yield Page(url, http, process, started_s)


def said(stream: httpx.Response) -> str:
    """Return the words of a streamed answer."""
    lines = [one.removeprefix("data: ") for one in stream.text.splitlines() if one.strip()]
    events = [json.loads(one) for one in lines if one != "[DONE]"]
    choices = [choice for event in events for choice in event.get("choices", [])]
    return "".join((choice.get("delta") or {}).get("content") or "" for choice in choices)
