"""The real bridge before the real gateway, with our real speech server and a stub behind it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

import piper_voice
from free_ports import free_ports
from gateway_process import Gateway, environment, started
from http_process import serving
from openai_stub import OpenAIStub
from synapse_common.secrets import BRIDGE_ENTRY
from synapse_deploy.catalogue.resolve import resolve, resolve_apps
from synapse_deploy.catalogue.wyoming_rules import bridge_apps
from synapse_deploy.render import gateway_config, speech, wyoming
from wyoming_bridge import Bridge, running

START_TIMEOUT_S = 60
QUIET_S = 0.1
EDGE_PORT, METRICS_PORT, WHISPER_PORT, PIPER_PORT, BRIDGE_PORT = free_ports(5)
ENGINES = {
    "speaches": {"url": f"http://127.0.0.1:{WHISPER_PORT}"},
    "piper": {"url": f"http://127.0.0.1:{PIPER_PORT}"},
}
CATALOGUE = resolve(
    [
        {"name": "hear", "engine": "speaches", "source": "Systran/faster-whisper-small"},
        {
            "name": "voice",
            "engine": "piper",
            "source": "en_US-hum-low",
            "voices": {"alloy": "en_US-hum-low", "thorsten": "de_DE-hum-low"},
        },
    ],
    [],
)
ALIASES = [{"name": "whisper-1", "model": "hear"}, {"name": "tts-1", "model": "voice"}]
APPS = [{"name": "voice", "models": ["whisper-1", "tts-1"]}, *bridge_apps(CATALOGUE, wanted=True)]
SETTINGS: dict[str, Any] = {"workers": 2, "cpu_cores": 2, "input_characters": 20_000}


def told(**changes: str) -> dict[str, str]:
    """Return what the bridge's pod is told, with the key that its reference stands for."""
    variables = wyoming.environment(CATALOGUE, f"http://127.0.0.1:{EDGE_PORT}")
    key = f"sk-synapse-{BRIDGE_ENTRY}"
    return {one["name"]: one.get("value", key) for one in variables} | changes


@pytest.fixture(scope="session")
def whisper() -> Iterator[OpenAIStub]:
    """What transcribes."""
    stub = OpenAIStub(WHISPER_PORT)
    stub.start()
    yield stub
    stub.shutdown()


@pytest.fixture(autouse=True)
def _fresh(whisper: OpenAIStub, gateway: Gateway) -> None:
    """Start each test with a healthy engine, and without lines of the test before it."""
    whisper.reset()
    seen = -1
    while seen != len(gateway.lines):
        seen = len(gateway.lines)
        time.sleep(QUIET_S)
    gateway.lines.clear()


@pytest.fixture(scope="session")
def piper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Our speech server with the real Piper and two voices that hum."""
    folder = tmp_path_factory.mktemp("speech")
    piper_voice.make(folder, "en_US-hum-low", hertz=220)
    piper_voice.make(folder, "de_DE-hum-low", hertz=330, language="de")
    config = speech.piper_config([CATALOGUE[1]], SETTINGS) | {"folder": str(folder)}
    config["settings"]["port"] = PIPER_PORT
    (folder / "speech.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "synapse_speech", "--config", "speech.yaml"]
    command += ["--host", "127.0.0.1"]
    url, log = f"http://127.0.0.1:{PIPER_PORT}", folder / "log.txt"
    told = environment()
    with serving(command, url, log, start_s=START_TIMEOUT_S, environment=told, cwd=folder):
        yield


@pytest.fixture(scope="session")
def gateway(
    whisper: OpenAIStub, piper: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The real gateway with the application that the bridge is, and another."""
    settings = {"port": EDGE_PORT, "metrics_port": METRICS_PORT}
    settings |= {"timeout_s": 3, "stream_timeout_s": 2, "keepalive_s": 1}
    edge = gateway_config.gateway(CATALOGUE, ALIASES, resolve_apps(APPS), ENGINES, settings)
    made = Gateway(tmp_path_factory.mktemp("gateway"), edge)
    with started(made):
        yield made


@pytest.fixture(scope="session")
def bridge(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """The bridge, told what its pod is told."""
    log = tmp_path_factory.mktemp("bridge") / "log.txt"
    with running(log, told(), BRIDGE_PORT) as bridge:
        yield bridge
