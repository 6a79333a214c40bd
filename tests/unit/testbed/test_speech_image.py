"""What answers in Hugging Face's place has the shapes that the real huggingface_hub asks for."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from huggingface_hub import HfApi, configure_http_backend, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from synapse_testbed import downloads, speech
from synapse_testbed.python import PACKAGES

WHISPER, VOICES = "Systran/faster-whisper-tiny.en", "rhasspy/piper-voices"
THORSTEN = "de/de_DE/thorsten/medium/de_DE-thorsten-medium.onnx"
FILES = {"whisper/README.md": speech.CARD.read_text(), "whisper/model.bin": "w" * 5000}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[ModuleType]:
    """The module, in the place of the network."""
    spec = importlib.util.spec_from_file_location("hub", speech.HUB / "hub_in_a_folder.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    facts = {"language": {"code": "en_US", "family": "en"}, "espeak": {"voice": "en-us"}}
    voice = {"voice/voice.onnx": "network", "voice/voice.onnx.json": json.dumps(facts)}
    for name, content in (FILES | voice).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    module.install(tmp_path)
    yield module
    configure_http_backend()


@pytest.mark.usefixtures("hub")
def test_a_model_is_fetched_with_its_card_into_the_cache(tmp_path: Path) -> None:
    for name in ("model.bin", "README.md"):
        found = Path(hf_hub_download(WHISPER, name, cache_dir=tmp_path / "cache"))
        assert found.read_text() == FILES[f"whisper/{name}"]
        assert found.parents[2].name == "models--Systran--faster-whisper-tiny.en"
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(WHISPER, "vocabulary.json", cache_dir=tmp_path / "cache")


@pytest.mark.usefixtures("hub")
def test_sizes_are_told_of_what_is_there() -> None:
    told = HfApi().get_paths_info(WHISPER, ["model.bin", "vocabulary.json"])
    assert {file.path: getattr(file, "size", None) for file in told} == {"model.bin": 5000}


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("name", ["simulated/missing-en", "somebody/else"])
def test_what_is_not_there_is_refused_as_hugging_face_does(name: str, tmp_path: Path) -> None:
    with pytest.raises(RepositoryNotFoundError):
        HfApi().get_paths_info(name, ["model.bin"])
    with pytest.raises(RepositoryNotFoundError):
        hf_hub_download(name, "model.bin", cache_dir=tmp_path / "cache")


@pytest.mark.usefixtures("hub")
def test_every_voice_is_the_one_that_is_there_with_the_language_in_its_name(tmp_path: Path) -> None:
    network = Path(hf_hub_download(VOICES, THORSTEN, local_dir=tmp_path / "voices"))
    facts = Path(hf_hub_download(VOICES, f"{THORSTEN}.json", local_dir=tmp_path / "voices"))
    assert network.read_text() == "network"
    told = json.loads(facts.read_text())
    assert (told["language"]["code"], told["espeak"]["voice"]) == ("de_DE", "de")
    assert HfApi().get_paths_info(VOICES, ["fr/fr_FR/missing/low/fr_FR-missing-low.onnx"]) == []


def test_a_slow_repository_takes_its_time_and_comes_whole(
    hub: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(hub.time, "sleep", waited.append)
    (tmp_path / "whisper/model.bin").write_bytes(bytes(25 * 1024**2))
    found = hf_hub_download("simulated/slow-1", "model.bin", cache_dir=tmp_path / "cache")
    assert Path(found).stat().st_size == 25 * 1024**2
    assert waited == [hub.PIECE_S] * 3


def test_only_the_program_that_fetches_is_led_there() -> None:
    line = (speech.HUB / "hub_in_a_folder.pth").read_text()
    assert line.startswith("import sys; "), "other lines of a .pth file are folders"
    assert line.count("\n") == 1
    assert '"synapse_fetching" in sys.orig_argv' in line


def test_the_image_holds_both_and_other_models_make_another_layer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = speech.simulator().inputs.keys()
    for name in ("hub_in_a_folder.py", "hub_in_a_folder.pth", "speaches_simulator/app.py"):
        assert f"{PACKAGES}/{name}" in places
    before = speech.models().key
    monkeypatch.setattr(downloads, "pin", lambda package: f"{package}==9.9")
    assert speech.models().key != before
