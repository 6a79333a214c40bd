"""What is tested is what is shipped; where it is not, docs/versions.md says why."""

import re
from pathlib import Path

import pytest
import yaml

from synapse_common.engines import too_old
from synapse_testbed import python
from vllm_simulator.versions import SIMULATED

ROOT = Path(__file__).parents[3]
WRITTEN = yaml.safe_load((ROOT / "group_vars/all/versions.yml").read_text())
IMAGES, SERVER = WRITTEN["synapse_images"], WRITTEN["synapse_server"]
PAGE = (ROOT / "docs/versions.md").read_text()
SPEECH, DEVELOPING = ROOT / "files/synapse_speech/requirements.txt", ROOT / "requirements-dev.txt"
LITELLM = ROOT / "molecule/testbed/litellm-requirements.txt"
TESTBED_SPEECH = ROOT / "molecule/testbed/speech-requirements.txt"
WYOMING = ROOT / "molecule/testbed/wyoming-requirements.txt"
TOOLKIT = "github.com/NVIDIA/nvidia-container-toolkit"
OPEN_WEBUI = ROOT / "tests/real_open_webui/requirements.txt"
# What the image of Speaches holds, from the list released with it: read it again for another tag.
SPEACHES = "0.9.0-rc.3-cpu"
IN_SPEACHES = {"huggingface-hub": "0.35.3", "faster-whisper": "1.1.1", "ctranslate2": "4.5.0"}


def tag(image: str) -> str:
    """The version in an image's reference."""
    found = re.fullmatch(r"[^:]+:v?([\w.-]+?)(@.*)?", IMAGES[image])
    assert found, IMAGES[image]
    return found[1]


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", path.read_text(), re.MULTILINE))


def in_go(folder: str, module: str) -> str:
    """The version of a module that a program of the testbed is built from."""
    go_mod = (ROOT / f"molecule/testbed/go/{folder}/go.mod").read_text()
    return str(re.findall(rf"{module} v(\S+)", go_mod)[0])


def expected() -> dict[str, tuple[str, str]]:
    """Every component with the version that is shipped and the one that is tested."""
    tested = pins(DEVELOPING)
    return {
        "LiteLLM": (tag("litellm"), pins(LITELLM)["litellm"]),
        "Ollama": (tag("ollama"), in_go("ollama", "github.com/ollama/ollama")),
        "vLLM": (tag("vllm"), SIMULATED),
        "Python of the speech server": (
            ".".join(tag("python").split(".")[:2]),
            python.VERSION,
        ),
        "wyoming-openai": (tag("wyoming"), pins(WYOMING)["wyoming-openai"]),
        "Open WebUI": (tag("open_webui"), pins(OPEN_WEBUI)["open-webui"]),
        "piper-tts": (pins(SPEECH)["piper-tts"], tested["piper-tts"]),
        "NVIDIA's container toolkit": (
            SERVER["nvidia_container_toolkit"],
            in_go("toolkit", TOOLKIT),
        ),
        **{f"{name} in Speaches": (held, tested[name]) for name, held in IN_SPEACHES.items()},
    }


def table() -> dict[str, tuple[str, str, str]]:
    """The page's rows: component, shipped, tested, why they differ."""
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row] for row in rows[1:]]
    return {name: (shipped, tested, why) for name, shipped, tested, why in cells}


def test_the_vllm_that_is_shipped_is_one_that_can_be_used() -> None:
    assert not too_old(tag("vllm"))


def test_the_page_has_a_row_for_every_component() -> None:
    assert list(table()) == list(expected())


@pytest.mark.parametrize("component", expected())
def test_a_difference_between_shipped_and_tested_is_explained(component: str) -> None:
    shipped, tested, why = table()[component]
    assert (shipped, tested) == expected()[component], "write the versions into docs/versions.md"
    assert bool(why) == (shipped != tested), "docs/versions.md explains differences, and only these"


def test_what_speaches_holds_was_read_for_the_tag_that_is_shipped() -> None:
    assert tag("speaches") == SPEACHES
    assert pins(SPEECH)["huggingface-hub"] == IN_SPEACHES["huggingface-hub"]


def test_the_speech_server_is_tested_with_the_libraries_that_are_shipped() -> None:
    shipped = pins(SPEECH)
    for path in (DEVELOPING, TESTBED_SPEECH):
        tested = pins(path)
        shared = shipped.keys() & tested.keys()
        assert len(shared) > 8
        assert {name: tested[name] for name in shared} == {name: shipped[name] for name in shared}
    assert shipped.keys() <= pins(DEVELOPING).keys()


def test_the_page_says_which_images_have_no_digest_yet() -> None:
    known = {"ollama": "Ollama", "litellm": "LiteLLM", "vllm": "vLLM", "speaches": "Speaches"}
    known |= {"wyoming": "the bridge of Home Assistant", "open_webui": "Open WebUI"}
    by_tag = {known.get(name, name) for name, image in IMAGES.items() if "@" not in image}
    told = re.findall(r"Until somebody runs it, (.*) are deployed by their tags\.", PAGE)
    named = {name for names in told for name in re.split(", | and ", names)}
    assert named == by_tag, "correct docs/versions.md and the README's limits"
