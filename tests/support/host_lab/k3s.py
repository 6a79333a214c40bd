"""The simulator as files of a release: `k3s`, the archive of images, and their checksums."""

import hashlib
import io
import shutil
import stat
import tarfile
import zipfile
from inspect import getsource
from pathlib import Path

import yaml

from synapse_testbed import debian, programs
from synapse_testbed.cache import Cache, Recipe
from synapse_testbed.commands import run
from synapse_testbed.go import VERSIONS
from synapse_testbed.images import PATH
from synapse_testbed.oci import Image, write_archive

SIMULATOR = Path(__file__).parents[2] / "simulators/k3s_simulator"
BINARY, IMAGES, CHECKSUMS = "k3s", "k3s-airgap-images-amd64.tar.zst", "sha256sum-amd64.txt"
# What is in the archive of images, and which of our programs each one runs.
AIRGAP = {
    "mirrored-pause:3.6": "pause",
    "mirrored-coredns-coredns:1.12.2": "usr/bin/coredns",
    "local-path-provisioner:v0.0.32": "pause",
    "mirrored-metrics-server:v0.8.0": "pause",
}
PACKED, HASH = "payload.tar.gz", "payload.sha256"
# Where a program of a layer goes in the payload; a folder goes there with all it holds.
FROM_KUBERNETES = {"usr/local/bin/": "bin/"}
FROM_DEBIAN = {
    "./usr/bin/containerd": "bin/containerd",
    "./usr/bin/containerd-shim-runc-v2": "bin/containerd-shim-runc-v2",
    "./usr/bin/ctr": "bin/ctr",
    "./usr/sbin/runc": "bin/runc",
    "./usr/sbin/ipset": "aux/ipset",
    "./usr/sbin/conntrack": "aux/conntrack",
    "./usr/lib/cni/": "cni/",
    "./usr/lib/x86_64-linux-gnu/libipset.so.13.4.0": "lib/libipset.so.13",
    "./usr/lib/x86_64-linux-gnu/libnetfilter_conntrack.so.3.8.0": "lib/libnetfilter_conntrack.so.3",
    "./usr/lib/x86_64-linux-gnu/libnfnetlink.so.0.2.0": "lib/libnfnetlink.so.0",
    "./usr/lib/x86_64-linux-gnu/libmnl.so.0.2.0": "lib/libmnl.so.0",
}
# They find their libraries beside them, as K3s' own programs need none of the server's.
WITH_LIBRARIES = ("ipset", "conntrack")
WRAPPER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$here/../../lib exec "$here/with-libraries/{name}" "$@"
"""


def version() -> str:
    """Return the version of K3s that the product pins."""
    return str(yaml.safe_load(VERSIONS.read_text())["synapse_server"]["k3s"])


def release(cache: Cache, named: str = "") -> Path:
    """Return the folder with the files of a release, made from what the testbed has built."""
    kubernetes = cache.obtain(programs.kubernetes())
    packed = cache.obtain(payload(cache, kubernetes))
    return cache.obtain(files(cache, kubernetes, packed, named or version()))


def payload(cache: Cache, kubernetes: Path) -> Recipe:
    """The programs inside `k3s`, packed."""
    node = debian.root_filesystem("debian-node", debian.NODE_PACKAGES)

    def build(folder: Path) -> None:
        root = folder / "root"
        _extract(kubernetes / "layer.tar", FROM_KUBERNETES, root)
        _extract(cache.obtain(node) / "layer.tar", FROM_DEBIAN, root)
        aux = root / "bin/aux"
        (aux / "with-libraries").mkdir(parents=True)
        for name in WITH_LIBRARIES:
            (root / "aux" / name).rename(aux / "with-libraries" / name)
            (aux / name).write_text(WRAPPER.format(name=name))
            (aux / name).chmod(0o755)
        (root / "aux").rmdir()
        shutil.copy("/usr/bin/zstd", aux)
        packing = f"tar --create --directory={root} . | gzip -1 > {folder / PACKED}"
        run(["bash", "-euo", "pipefail", "-c", packing], limit_s=600)
        with (folder / PACKED).open("rb") as packed:
            digest = hashlib.file_digest(packed, "sha256").hexdigest()
        (folder / HASH).write_text(digest)
        shutil.rmtree(root)

    inputs = {"kubernetes": kubernetes.name, "debian": node.key, "wrapper": WRAPPER}
    inputs |= {"recipe": getsource(build), "files": str(FROM_DEBIAN | FROM_KUBERNETES)}
    return Recipe("k3s-payload", inputs, build)


def files(cache: Cache, kubernetes: Path, packed: Path, named: str) -> Recipe:
    """The files of a release of that version."""
    ours = {
        str(path.relative_to(SIMULATOR)): path.read_text()
        for path in sorted(SIMULATOR.rglob("*"))
        if path.suffix in (".py", ".yaml")
    }
    pause = cache.obtain(programs.pause())
    layers = {"pause": pause / "layer.tar", "usr/bin/coredns": kubernetes / "coredns.tar"}

    def build(folder: Path) -> None:
        write_program(folder / BINARY, ours, packed, named)
        images = [
            Image(f"docker.io/rancher/{name}", (layers[program],),
                  {"Env": [PATH], "Entrypoint": [f"/{program}"]})
            for name, program in AIRGAP.items()
        ]  # fmt: skip
        unpacked = folder / IMAGES.removesuffix(".zst")
        with unpacked.open("wb") as archive:
            write_archive(images, archive)
        run(["zstd", "--quiet", "--rm", "-3", str(unpacked)], limit_s=300)
        (folder / CHECKSUMS).write_text(checksums(folder))

    inputs = ours | {
        "payload": packed.name,
        "pause": pause.name,
        "version": named,
        "images": str(AIRGAP),
    }
    return Recipe("k3s-release", inputs | {"recipe": getsource(build)}, build)


def write_program(place: Path, sources: dict[str, str], packed: Path, named: str) -> None:
    """Write the one file: a line that names Python, then an archive of modules and programs."""
    modules = Path(yaml.__file__).parent
    with place.open("wb") as file:
        file.write(b"#!/usr/bin/python3\n")
        with zipfile.ZipFile(file, "w") as archive:
            _add(archive, "__main__.py", "import sys\nfrom k3s_simulator.__main__ import main\n\n"
                 "sys.exit(main())\n")  # fmt: skip
            for name, text in sources.items():
                home = "" if name.startswith("manifests/") else "k3s_simulator/"
                _add(archive, f"{home}{name}", text)
            for module in sorted(modules.glob("*.py")):
                _add(archive, f"yaml/{module.name}", module.read_text())
            _add(archive, "version", named)
            _add(archive, HASH, (packed / HASH).read_text())
            archive.write(packed / PACKED, PACKED)
    place.chmod(place.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def checksums(folder: Path) -> str:
    """Return the text of the file of checksums, as K3s publishes it."""
    lines = []
    for name in (IMAGES, BINARY):
        with (folder / name).open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return "".join(lines)


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)


def _extract(layer: Path, wanted: dict[str, str], root: Path) -> None:
    with tarfile.open(layer) as archive:
        for member in archive:
            for source, place in wanted.items():
                inside = source.endswith("/") and member.name.startswith(source)
                if member.isfile() and (member.name == source or inside):
                    target = root / (place + member.name.removeprefix(source) if inside else place)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    content = archive.extractfile(member) or io.BytesIO()
                    with target.open("wb") as file:
                        shutil.copyfileobj(content, file, 1 << 20)
                    target.chmod(0o755)
