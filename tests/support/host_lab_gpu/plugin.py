"""The image of the device plugin's simulator, for a cluster on a server with the simulated GPU."""

from inspect import getsource
from pathlib import Path

from synapse_testbed import go
from synapse_testbed.cache import Recipe
from synapse_testbed.images import PATH
from synapse_testbed.oci import Image, write_layer
from synapse_testbed.programs import STATIC

SOURCES = go.MODULES / "device-plugin"
REFERENCE = "localhost/synapse/nvidia-device-plugin:dev"
# As in NVIDIA's image: without its words the runtime gives the plugin nothing.
ENVIRONMENT = ("NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=utility")


def program() -> Recipe:
    """The simulator, one program, as an image's layer."""

    def build(folder: Path) -> None:
        go.install_tools("device-plugin", folder, env=STATIC)
        made = folder / "device-plugin"
        write_layer(folder / "layer.tar", [(made, "usr/bin/nvidia-device-plugin")])
        made.unlink()

    sources = {path.name: path.read_text() for path in sorted(SOURCES.glob("*.go"))}
    inputs = go.pins("device-plugin") | sources | {"recipe": getsource(build)}
    return Recipe("device-plugin", inputs, build)


def image(base: Path, plugin: Path) -> Image:
    """Put the image together from two artefacts' folders: Debian's base, and the program."""
    layers = (base / "layer.tar", plugin / "layer.tar")
    config = {"Env": [PATH, *ENVIRONMENT], "Entrypoint": ["nvidia-device-plugin"]}
    return Image(REFERENCE, layers, config)
