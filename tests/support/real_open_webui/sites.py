"""The gateways that a page asks: the deployed demo, or processes before simulated engines."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import yaml

import piper_voice
from free_ports import free_ports
from gateway_process import Gateway, environment, started, until
from harness.server import GPU_GIB, Server, run_server
from http_process import serving
from in_background import in_background
from openai_stub import Behaviour, OpenAIStub
from synapse_cli.cluster import Cluster
from synapse_cli.keys import read_app_key
from synapse_common.engines import ARBITER_OPERATOR_PORT, VLLM
from synapse_common.secrets import CHAT_ENTRY
from synapse_deploy.catalogue.chat_rules import chat_apps
from synapse_deploy.catalogue.resolve import resolve, resolve_apps, resolve_names
from synapse_deploy.render import gateway_config, speech

ROOT = Path(__file__).parents[3]
TESTBED = ROOT / "molecule/testbed/inventory/group_vars/all"
NAMESPACE = "llm-infra"
LINE_S = 60
USABLE = {"asleep", "awake"}
SPEECH = {"workers": 2, "cpu_cores": 2, "input_characters": 20_000}
FEW = "open-webui-few"
"""An application with one request a minute."""


@dataclass(frozen=True)
class Catalogue:
    """A site's models, names and applications, resolved, and which of its names do what."""

    models: list[dict[str, Any]]
    names: list[dict[str, Any]]
    apps: list[dict[str, Any]]
    cpu: str = "chat"
    """A chat name that no GPU answers."""
    gpu: str = "assistant"
    """A chat name of a model of the GPU that does not see."""
    failing: str | None = None
    """A chat name whose model is away, so that its fallback answers; None: there is none."""
    seeing: str | None = None
    """A chat name of a model that sees; None: there is none."""
    understands: bool = True
    """Whether it transcribes what is said, and does not always write down the same."""

    @property
    def chats(self) -> list[str]:
        """Return the chat names that the page lists."""
        (page,) = (app for app in self.apps if app["name"] == CHAT_ENTRY)
        return list(page["lists"])


class Site(Protocol):
    """A gateway, and what a test looks at besides its answers."""

    @property
    def catalogue(self) -> Catalogue:
        """Return what is served."""

    @property
    def url(self) -> str:
        """Return where the gateway answers."""

    def key(self, app: str) -> str:
        """Return an application's key."""

    def lines(self) -> list[dict[str, Any]]:
        """Return the gateway's latest log lines of requests, oldest first."""

    def gpu(self) -> dict[str, str]:
        """Return the state of each model of the GPU, as the arbiter says it."""


class Since:
    """The log lines that come after this moment."""

    def __init__(self, site: Site) -> None:
        """Begin now."""
        self._site = site
        self._seen = {line["request_id"] for line in site.lines()}

    def lines(self) -> list[dict[str, Any]]:
        """Return those that have come."""
        return [line for line in self._site.lines() if line["request_id"] not in self._seen]

    def of(self, app: str, kind: str, number: int = 1) -> list[dict[str, Any]]:
        """Wait for as many of an application's requests of one kind, and return them."""
        found: list[dict[str, Any]] = []

        def written() -> bool:
            found[:] = [one for one in self.lines() if (one["app"], one["kind"]) == (app, kind)]
            return len(found) >= number

        until(written, LINE_S, lambda: f"{number} of {app}, {kind}, among {self.lines()}")
        return found


def _requests(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line.get("app") and "status" in line]


@dataclass(frozen=True)
class Deployed:
    """The demo on this machine, whose catalogue has the page's applications."""

    cluster: Cluster
    catalogue: Catalogue
    url: str

    def key(self, app: str) -> str:
        """Return an application's key."""
        return read_app_key(self.cluster, app)

    def lines(self) -> list[dict[str, Any]]:
        """Return the gateway's latest log lines of requests, oldest first."""
        texts = self.cluster.log_lines("gateway", tail=500)
        return _requests([json.loads(text) for text in texts if text.startswith("{")])

    def gpu(self) -> dict[str, str]:
        """Return the state of each model of the GPU."""
        answer = self.cluster.get(VLLM.service, ARBITER_OPERATOR_PORT, "status")
        return {one["name"]: one["state"] for one in json.loads(answer.body)["models"]}


def deployed() -> Deployed:
    """Return the demo; raise ClusterError where there is none."""
    texts = [(TESTBED / name).read_text() for name in ("models.yml", "aliases.yml", "apps.yml")]
    written = {key: value for text in texts for key, value in yaml.safe_load(text).items()}
    gpus = yaml.safe_load((TESTBED / "platform.yml").read_text())["synapse_gpus"]
    models = resolve(written["synapse_models"], gpus)
    names = resolve_names(written["synapse_aliases"], written["synapse_models"], gpus)
    apps = resolve_apps(written["synapse_apps"])
    url = f"http://127.0.0.1:{os.environ.get('SYNAPSE_PORT', '8000')}"
    return Deployed(Cluster(NAMESPACE), Catalogue(models, names, apps), url)


@dataclass
class Simulated:
    """The gateway before the arbiter, two simulated engines of the GPU, and a stub for the rest."""

    catalogue: Catalogue
    gateway: Gateway
    server: Server
    stub: OpenAIStub

    @property
    def url(self) -> str:
        """Return where the gateway answers."""
        return self.gateway.url

    def key(self, app: str) -> str:
        """Return an application's key."""
        return f"sk-synapse-{app}"

    def lines(self) -> list[dict[str, Any]]:
        """Return the gateway's log lines of requests, oldest first."""
        return _requests(list(self.gateway.lines))

    def gpu(self) -> dict[str, str]:
        """Return the state of each model of the GPU."""
        listed = httpx.get(f"{self.server.url}/v1/models").json()["data"]
        return {model["id"]: model["state"] for model in listed}


MODELS: list[dict[str, Any]] = [
    {"name": "gpu-chat", "engine": "vllm", "source": "s/c", "vram_gib": 24, "kv_cache_gib": 4,
     "context": 8192, "capabilities": ["tools"]},
    {"name": "gpu-code", "engine": "vllm", "source": "s/e", "vram_gib": 16, "kv_cache_gib": 4,
     "context": 8192, "capabilities": ["tools"]},
    {"name": "sees", "engine": "ollama", "source": "sees:1", "capabilities": ["vision"]},
    {"name": "small", "engine": "ollama", "source": "small:1", "context": 4096},
    {"name": "tiny", "engine": "ollama", "source": "tiny:1", "context": 4096},
    {"name": "shaky", "engine": "ollama", "source": "shaky:1", "fallbacks": ["small"]},
    {"name": "vectors", "engine": "ollama", "source": "v:1", "kind": "embedding"},
    {"name": "listener", "engine": "speaches", "source": "s/whisper"},
    {"name": "piper", "engine": "piper", "source": "en_US-hum-low",
     "voices": {"alloy": "en_US-hum-low"}},
]  # fmt: skip
NAMES = [
    {"name": "chat", "model": "small"},
    {"name": "fast", "model": "tiny"},
    {"name": "assistant", "model": "gpu-chat"},
    {"name": "coder", "model": "gpu-code"},
    {"name": "eyes", "model": "sees"},
    {"name": "code", "model": "shaky"},
    {"name": "embed", "model": "vectors"},
    {"name": "whisper-1", "model": "listener"},
    {"name": "tts-1", "model": "piper"},
]
ENGINE = [
    "--boot-s=0", "--first-sleep-s=0", "--sleep-s=0.05", "--wake-s=0.2", "--ttft-s=0",
    "--tokens-per-s=60", "--max-model-len=8192",
]  # fmt: skip
# Three seconds of an answer, so that somebody can stop it.
WORDS = tuple(f" word{number}" for number in range(150))
TITLE = '{"title": "What the cat did", "tags": ["cat"], "follow_ups": ["And then?"]}'


@contextlib.contextmanager
def simulated(folder: Path) -> Iterator[Simulated]:
    """Start all of it; every model of the GPU sleeps until somebody asks for it."""
    models = resolve(MODELS, [{"vram_gib": GPU_GIB}])
    few = {"name": FEW, "models": ["fast"], "requests_per_minute": 1}
    apps = resolve_apps([few, *chat_apps(models, NAMES, [few], wanted=True)])
    catalogue = Catalogue(models, NAMES, apps, failing="code", seeing="eyes", understands=False)
    arbiter, stub_port, piper, port, metrics_port = free_ports(5)
    urls = {"vllm": arbiter, "ollama": stub_port, "speaches": stub_port, "piper": piper}
    engines = {name: {"url": f"http://127.0.0.1:{at}"} for name, at in urls.items()}
    settings = {"port": port, "metrics_port": metrics_port, "voices_without_key": True}
    config = gateway_config.gateway(models, NAMES, apps, engines, settings)
    stub = OpenAIStub(stub_port)
    served = {one["name"]: one["served_name"] for one in config["models"]}
    stub.behaviours[served["tiny"]] = Behaviour(words=(TITLE,))
    stub.behaviours[served["shaky"]] = Behaviour(status=503)
    stub.behaviours[served["small"]] = Behaviour(words=WORDS, between_tokens_s=0.02)
    sizes = {one["name"]: float(one["vram_gib"]) for one in models if one["engine"] == "vllm"}
    (folder / "engines").mkdir()
    rules = {"rules": {"quantum_s": 0.2, "deadline_s": 0.1, "residency_s": 0.1}}
    running = run_server(folder / "engines", sizes, ENGINE, {"inference": arbiter}, rules)
    stub.start()
    try:
        gateway = Gateway(folder / "gateway", config)
        speaking = _piper(folder / "piper", piper, models)
        with in_background(running) as server, started(gateway), speaking:
            site = Simulated(catalogue, gateway, server, stub)
            until(lambda: set(site.gpu().values()) <= USABLE, 60, lambda: str(site.gpu()))
            yield site
    finally:
        stub.shutdown()


@contextlib.contextmanager
def _piper(folder: Path, port: int, models: list[dict[str, Any]]) -> Iterator[None]:
    """Run our speech server with the real Piper and a voice that hums."""
    piper_voice.make(folder, "en_US-hum-low", hertz=220)
    voices = [model for model in models if model["engine"] == "piper"]
    config = speech.piper_config(voices, SPEECH) | {"folder": str(folder)}
    config["settings"]["port"] = port
    (folder / "speech.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "synapse_speech", "--config", "speech.yaml"]
    url = f"http://127.0.0.1:{port}"
    with serving(
        [*command, "--host", "127.0.0.1"],
        url, folder / "log.txt", start_s=60, environment=environment(), cwd=folder,
    ):  # fmt: skip
        yield
