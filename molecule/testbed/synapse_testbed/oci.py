"""Container images written directly: a few layers, a configuration, an index, in one archive."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Blob:
    """Something addressed by its digest: bytes in hand, or a file."""

    digest: str
    size: int
    source: bytes | Path

    @classmethod
    def of(cls, value: Any) -> "Blob":
        """Make the blob of a JSON document."""
        text = json.dumps(value, sort_keys=True).encode()
        return cls(hashlib.sha256(text).hexdigest(), len(text), text)

    @classmethod
    def of_layer(cls, path: Path) -> "Blob":
        """Make the blob of a file that never changes; its digest is kept beside it."""
        known = path.with_name(f"{path.name}.sha256")
        if not known.exists():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            partial = known.with_suffix(".partial")
            partial.write_text(digest)
            partial.replace(known)
        return cls(known.read_text(), path.stat().st_size, path)

    def descriptor(self, media_type: str) -> dict[str, Any]:
        """Return how an index or manifest refers to the blob."""
        return {"mediaType": media_type, "digest": f"sha256:{self.digest}", "size": self.size}


@dataclass(frozen=True)
class Image:
    """An image: its full name, its layers (tar files, lowest first) and its run configuration."""

    reference: str
    layers: tuple[Path, ...]
    config: dict[str, Any] = field(default_factory=dict)

    def blobs(self) -> tuple[Blob, list[Blob]]:
        """Return the manifest, and every blob it leads to."""
        layers = [Blob.of_layer(path) for path in self.layers]
        config = Blob.of(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": self.config,
                "rootfs": {
                    "type": "layers",
                    "diff_ids": [f"sha256:{layer.digest}" for layer in layers],
                },
            }
        )
        manifest = Blob.of(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": config.descriptor(CONFIG),
                "layers": [layer.descriptor(LAYER) for layer in layers],
            }
        )
        return manifest, [*layers, config, manifest]

    def write(self, archive: IO[bytes]) -> None:
        """Write the image as an OCI archive, which podman loads and containerd imports."""
        write_archive([self], archive)


def write_archive(images: Iterable[Image], archive: IO[bytes]) -> None:
    """Write images as one OCI archive; what they share is in it once."""
    known: dict[str, Blob] = {}
    manifests = []
    for image in images:
        manifest, blobs = image.blobs()
        known |= {blob.digest: blob for blob in blobs}
        names = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
        annotations = {"annotations": dict.fromkeys(names, image.reference)}
        manifests.append(manifest.descriptor(MANIFEST) | annotations)
    index = Blob.of({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    with tarfile.open(fileobj=archive, mode="w|") as tar:
        _add(tar, "oci-layout", Blob.of({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", index)
        for blob in known.values():
            _add(tar, f"blobs/sha256/{blob.digest}", blob)


def write_layer(layer: Path, files: Iterable[tuple[Path, str]]) -> None:
    """Write files and folders (path, place in the image) as a layer, the same bytes every time."""
    with tarfile.open(layer, "w") as tar:
        for source, place in files:
            _add_tree(tar, source, place)


def _add_tree(tar: tarfile.TarFile, source: Path, place: str) -> None:
    tar.add(source, place, recursive=False, filter=_anonymous)
    if source.is_dir() and not source.is_symlink():
        for child in sorted(source.iterdir()):
            _add_tree(tar, child, f"{place}/{child.name}")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _add(tar: tarfile.TarFile, name: str, blob: Blob) -> None:
    member = tarfile.TarInfo(name)
    member.size = blob.size
    if isinstance(blob.source, bytes):
        tar.addfile(member, io.BytesIO(blob.source))
    else:
        with blob.source.open("rb") as file:
            tar.addfile(member, file)
