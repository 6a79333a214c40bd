"""The image of a bare server: Debian with what any server has, and no Kubernetes."""

from pathlib import Path

from synapse_testbed.cache import Recipe
from synapse_testbed.debian import root_filesystem
from synapse_testbed.images import PATH
from synapse_testbed.oci import Image, write_layer

FILES = Path(__file__).parent / "files"
# What an installation of Debian with "SSH server" and "standard system utilities" has of it too.
PACKAGES = (
    "apt ca-certificates cron curl dbus gpg iproute2 iptables iputils-ping kmod nftables"
    " openssh-server passwd pciutils procps python3 python3-apt sudo systemd systemd-sysv"
)


def root() -> Recipe:
    """Debian 13 as it is installed, with this machine's package sources."""
    return root_filesystem("debian-host", PACKAGES)


def own_files() -> Recipe:
    """What a container needs to be a server of its own."""
    found = [path for path in sorted(FILES.rglob("*")) if path.is_file()]

    def build(folder: Path) -> None:
        write_layer(folder / "layer.tar", [(path, str(path.relative_to(FILES))) for path in found])

    return Recipe(
        "host-files", {str(path.relative_to(FILES)): path.read_text() for path in found}, build
    )


def image(debian: Path, files: Path) -> Image:
    """Put the server's image together from the two artefacts' folders."""
    layers = (debian / "layer.tar", files / "layer.tar")
    return Image(
        "localhost/synapse/host:dev",
        layers,
        {"Env": [PATH], "Cmd": ["/usr/local/libexec/own-boot"]},
    )
