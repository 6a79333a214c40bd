"""What is brought into a running server: images, model files and the cluster's add-ons."""

from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO

from synapse_testbed.commands import as_root, say, succeeds
from synapse_testbed.oci import Image
from synapse_testbed.podman import PODMAN, Container, feed, podman

# Bound to cluster-admin by the API server itself, so it works before any binding exists.
KUBECTL = ("kubectl", "--kubeconfig=/var/lib/forge/kubeconfigs/super-admin.conf")
MODELS = "/var/lib/forge/models"


def load_image(image: Image) -> str:
    """Give podman an image, named by its content; return that name."""
    manifest, _ = image.blobs()
    name = image.reference.rpartition(":")[0]
    reference = f"{name}:{manifest.digest[:16]}"
    if reference not in _versions(name):
        say(f"{name}: loading the image into podman ...")
        feed(as_root(*PODMAN, "load", "--quiet"), replace(image, reference=reference).write)
    return reference


def remove_other_images(reference: str) -> None:
    """Remove the versions of an image that earlier builds left in podman."""
    for image in _versions(reference.rpartition(":")[0]):
        if image != reference and not succeeds(as_root(*PODMAN, "rmi", image), limit_s=60):
            say(f"{image}: another testbed still uses it, left in place")


def can_import(server: Container) -> bool:
    """Tell whether the server takes images and models now."""
    return succeeds(
        as_root(*PODMAN, "exec", server.name, "sh", "-c", f"ctr version && test -d {MODELS}"),
        limit_s=20,
    )


def import_images(server: Container, images: tuple[Image, ...]) -> None:
    """Import the images that the server has not got yet."""
    known = server.exec("ctr", "--namespace=k8s.io", "images", "ls")
    for image in images:
        manifest, _ = image.blobs()
        if not any(
            line.startswith(f"{image.reference} ") and manifest.digest in line
            for line in known.splitlines()
        ):
            say(f"{image.reference}: importing ...")
            command = ["ctr", "--namespace=k8s.io", "images", "import", "-"]
            server.feed(*command, write=image.write)


def place_models(server: Container, models: tuple[Path, ...]) -> None:
    """Copy the model files that the server has not got yet; a file appears whole or not at all."""
    there = server.exec("sh", "-c", f"cd {MODELS} && sha256sum *.gguf || true")
    for model in models:
        content = model.read_bytes()
        if f"{sha256(content).hexdigest()}  {model.name}" not in there.splitlines():
            place = f"{MODELS}/{model.name}"
            copy = f"cat > {place}.partial && sync {place}.partial && mv {place}.partial {place}"
            server.feed("sh", "-c", copy, write=partial(_send, content))


def apply_addons(server: Container) -> None:
    """Apply the cluster's DNS, storage class, bindings and runtime class."""
    server.exec(*KUBECTL, "apply", "--server-side", "--filename=/etc/kubernetes/addons")


def _send(data: bytes, pipe: IO[bytes]) -> None:
    pipe.write(data)


def _versions(name: str) -> list[str]:
    return podman("images", "--format", "{{.Repository}}:{{.Tag}}", name).split()
