"""The image of Home Assistant's bridge: the package as it is released, on Debian's Python."""

import shutil
from inspect import getsource
from pathlib import Path

from synapse_testbed import python
from synapse_testbed.cache import Recipe
from synapse_testbed.oci import write_layer
from synapse_testbed.python import PACKAGES

REQUIREMENTS = Path(__file__).parent.parent / "wyoming-requirements.txt"


def libraries() -> Recipe:
    """The bridge with everything that it imports."""
    requirements = REQUIREMENTS.read_text()

    def build(folder: Path) -> None:
        target = folder / "packages"
        python.install(requirements, target)
        link = folder / "python"
        link.symlink_to("/usr/bin/python3")
        write_layer(folder / "layer.tar", [(target, PACKAGES), (link, "usr/local/bin/python")])
        shutil.rmtree(target)
        link.unlink()

    inputs = {"requirements": requirements, "recipe": getsource(build)}
    inputs["way"] = python.way_to_install()
    return Recipe("wyoming-bridge", inputs, build)
