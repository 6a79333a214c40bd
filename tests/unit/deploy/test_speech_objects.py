"""What the catalogue says about voices arrives at the server that speaks."""

from pathlib import Path
from typing import Any

from synapse_deploy.catalogue.options import defaults, wiring
from synapse_deploy.catalogue.resolve import resolve
from synapse_deploy.render.code import code
from synapse_deploy.render.network import downloads
from synapse_deploy.render.speech import (
    egress,
    ingress,
    piper_config,
    sources,
    speaches_environment,
    voices,
)
from synapse_deploy.render.speech_pod import models
from synapse_gateway.audio.queue import KEPT
from synapse_speech.config import build

WRITTEN: list[dict[str, Any]] = [
    {
        "name": "voice",
        "engine": "piper",
        "source": "en_US-lessac-medium",
        "voices": {"alloy": "en_US-lessac-medium", "nova": "en_US-libritts-high#3"},
    },
    {"name": "german", "engine": "piper", "source": "de_DE-thorsten-medium"},
]
MODELS: list[dict[str, Any]] = resolve(WRITTEN, [])
SETTINGS: dict[str, Any] = {
    "workers": 2, "parallel_recordings": 3, "cpu_cores": 8.0, "keep_alive_s": 900, "offline": False,
    "input_characters": 500,
}  # fmt: skip
FETCHING: dict[str, Any] = SETTINGS | {
    "speaches_image": "speaches:1",
    "memory_gib": 4.0,
    "download_limit_s": 60,
    "reserve_gib": 1.0,
}


def test_every_voice_is_fetched_once_without_its_speaker() -> None:
    wanted = ["de_DE-thorsten-medium", "en_US-lessac-medium", "en_US-libritts-high"]
    assert voices(MODELS) == wanted


def test_the_server_takes_the_configuration(tmp_path: Path) -> None:
    for voice in voices(MODELS):
        for ending in (".onnx", ".onnx.json"):
            (tmp_path / f"{voice}{ending}").touch()
    config = build(piper_config(MODELS, SETTINGS) | {"folder": str(tmp_path)})
    speaker = config.models["voice"].speaker("nova")
    assert speaker is not None
    assert (speaker.voice, speaker.speaker) == ("en_US-libritts-high", 3)
    assert config.models["german"].default == "de_DE-thorsten-medium"
    assert (config.settings.workers, config.settings.threads) == (2, 4)
    assert config.settings.input_characters == 500


def test_speaches_asks_nothing_of_the_network_once_it_serves() -> None:
    told = {entry["name"]: entry["value"] for entry in speaches_environment(SETTINGS)}
    assert told["HF_HUB_OFFLINE"] == "1"
    assert told["STT_MODEL_TTL"] == "900"


def test_speaches_hears_as_many_recordings_at_once_as_the_gateway_sends() -> None:
    told = {entry["name"]: entry["value"] for entry in speaches_environment(SETTINGS)}
    assert (told["WHISPER__NUM_WORKERS"], told["WHISPER__CPU_THREADS"]) == ("3", "8")
    usual = defaults()["gateway_transcription_concurrency"]
    wired = wiring()["speech_parallel_recordings"]
    assert wired == f"{{{{ gateway_transcription_concurrency | default({usual}) | int + {KEPT} }}}}"


def test_models_are_fetched_to_where_speaches_looks_for_them() -> None:
    told = {entry["name"]: entry["value"] for entry in speaches_environment(SETTINGS)}
    command = models(["owner/one", "owner/two"], FETCHING)["command"]
    assert command[command.index("--folder") + 1] == f"{told['HF_HOME']}/hub"
    assert command[-2:] == ["owner/one", "owner/two"]
    assert "--offline" not in command
    assert "--offline" in models(["owner/one"], FETCHING | {"offline": True})["command"]


def test_every_model_is_fetched_once() -> None:
    hearing = [{"source": "owner/b"}, {"source": "owner/a"}, {"source": "owner/b"}]
    assert sources(hearing) == ["owner/b", "owner/a"]


def test_roads_in_and_out() -> None:
    gateway = {"app.kubernetes.io/name": "gateway"}
    (rule,) = ingress(gateway, [])
    assert rule["from"] == [{"podSelector": {"matchLabels": gateway}}]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8000}]
    mirror = [{"address": "192.168.1.20", "port": 443}]
    assert egress(True, mirror) == []
    assert egress(False, mirror) == downloads([443], mirror)


def test_who_reads_the_metrics_reaches_nothing_else() -> None:
    gateway = {"app.kubernetes.io/name": "gateway"}
    readers = [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]
    asking, reading = ingress(gateway, readers)
    assert asking["from"] == [{"podSelector": {"matchLabels": gateway}}]
    assert reading == {"from": readers, "ports": [{"protocol": "TCP", "port": 9090}]}


def test_the_pods_get_the_whole_programs() -> None:
    assert {"__main__.py", "libraries.py", "voices.py"} <= code("synapse_speech").keys()
    assert {"__main__.py", "download.py", "wanted.py"} <= code("synapse_fetching").keys()
