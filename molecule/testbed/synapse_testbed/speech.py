"""The image that hears and speaks: the server's libraries, and what stands in for its engines."""

import shutil
import sys
from inspect import getsource
from pathlib import Path

from synapse_testbed.cache import Recipe
from synapse_testbed.commands import run
from synapse_testbed.debian import BASE_PACKAGES
from synapse_testbed.oci import write_layer
from synapse_testbed.programs import PACKAGES, as_they_are

HERE = Path(__file__).parent.parent
REQUIREMENTS = HERE / "speech-requirements.txt"
STAND_INS = HERE / "images" / "speech"
DEBIAN_PACKAGES = f"{BASE_PACKAGES} espeak-ng"
LIMIT_S = 900


def libraries() -> Recipe:
    """What the real speech server runs with, less Piper, and pocketsphinx."""
    requirements = REQUIREMENTS.read_text()

    def build(folder: Path) -> None:
        wanted = folder / "requirements.txt"
        wanted.write_text(requirements)
        uv = Path(sys.executable).parent / "uv"
        options = "--quiet --no-deps --require-hashes --python"
        install = ["pip", "install", *options.split(), sys.executable]
        target = folder / "packages"
        place = ["--target", str(target), "--requirement", str(wanted)]
        run([str(uv), *install, *place], limit_s=LIMIT_S)
        python = folder / "python"
        python.symlink_to("/usr/bin/python3")
        roots = [(target, PACKAGES), (python, "usr/local/bin/python")]
        write_layer(folder / "layer.tar", roots)
        shutil.rmtree(target)
        for leftover in (wanted, python):
            leftover.unlink()

    inputs = {"requirements": requirements, "recipe": getsource(build)}
    return Recipe("speech-libraries", inputs, build, limit_s=LIMIT_S)


def stand_ins() -> Recipe:
    """What stands in for Piper's voices and for Speaches."""
    files = {
        f"{PACKAGES}/{path.relative_to(STAND_INS)}": path
        for path in sorted(STAND_INS.rglob("*.py"))
    }
    return as_they_are("speech-stand-ins", files)
