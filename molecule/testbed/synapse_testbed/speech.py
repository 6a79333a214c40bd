"""The image that hears and speaks: the server's libraries, and what stands in for its engines."""

import shutil
from inspect import getsource
from pathlib import Path

from synapse_testbed import python
from synapse_testbed.cache import Recipe
from synapse_testbed.debian import BASE_PACKAGES
from synapse_testbed.oci import write_layer
from synapse_testbed.programs import as_they_are
from synapse_testbed.python import PACKAGES

HERE = Path(__file__).parent.parent
REQUIREMENTS = HERE / "speech-requirements.txt"
STAND_INS = HERE / "images" / "speech"
DEBIAN_PACKAGES = f"{BASE_PACKAGES} espeak-ng"


def libraries() -> Recipe:
    """What the real speech server runs with, less Piper, and pocketsphinx."""
    requirements = REQUIREMENTS.read_text()

    def build(folder: Path) -> None:
        target = folder / "packages"
        python.install(requirements, target)
        link = folder / "python"
        link.symlink_to("/usr/bin/python3")
        roots = [(target, PACKAGES), (link, "usr/local/bin/python")]
        write_layer(folder / "layer.tar", roots)
        shutil.rmtree(target)
        link.unlink()

    inputs = {"requirements": requirements, "recipe": getsource(build)}
    inputs["way"] = python.way_to_install()
    return Recipe("speech-libraries", inputs, build)


def stand_ins() -> Recipe:
    """What stands in for Piper's voices and for Speaches."""
    files = {
        f"{PACKAGES}/{path.relative_to(STAND_INS)}": path
        for path in sorted(STAND_INS.rglob("*.py"))
    }
    return as_they_are("speech-stand-ins", files)
