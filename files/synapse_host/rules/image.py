"""The engines' image: does its CUDA run on this driver and GPU?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.engines import VLLM
from synapse_common.finding import Finding
from synapse_host.facts import HostFacts
from synapse_host.rules.gpu import nvidia
from synapse_host.rules.say import gpu, numbers

IN_TAG = re.compile(r"[-_]cu(?:da)?(\d\d)\.?(\d)(?:\d)?(?![\d.])")
"""Such as -cu129, which is 12.9."""
OF_NVIDIA = ("nvcr.io/nvidia/vllm:", (26, 5), (13, 2))
"""NVIDIA's own builds tell year and month: that of May 2026 is of CUDA 13.2.1."""


def cuda_of(image: str, site: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the CUDA of an image, such as (13, 0); empty where nothing tells it."""
    if image == site.get("synapse_images", {}).get(VLLM.name):
        return numbers(site.get("synapse_server", {}).get("vllm_image_cuda", ""))
    name, since, cuda = OF_NVIDIA
    if image.startswith(name) and numbers(image.removeprefix(name)) >= since:
        return cuda
    found = IN_TAG.search(image)
    return (int(found[1]), int(found[2])) if found else ()


def image(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """The image is of no newer CUDA than the driver's; only data-center GPUs run a newer one."""
    has, name = numbers(facts.driver.cuda)[:2], _image(site)
    if not (has and name and site.get("synapse_gpus") and nvidia(facts)):
        return
    needs = cuda_of(name, site)
    if not needs:
        yield gpu("image's cuda", f"unknown of {name}; the driver runs {facts.driver.cuda}")
        return
    told = ".".join(map(str, needs))
    on_geforce = any("GeForce" in card.name for card in facts.driver.cards)
    too_new = needs > has and (on_geforce or needs[0] > has[0])
    remedy = (
        f"{name} is of CUDA {told}, and this GPU runs no newer CUDA than its driver's: an engine "
        "ends with `forward compatibility was attempted on non supported HW`, or computes on the "
        "CPU (club-3090#222). Install a newer driver, or name another vllm_image: the tags of "
        "vLLM that end in -cu129 are of 12.9."
    )
    seen = f"{told}, the driver runs {facts.driver.cuda}"
    yield gpu("image's cuda", seen, remedy if too_new else "")


def _image(site: Mapping[str, Any]) -> str:
    """Return the image of the engines: what the site names, or what is shipped."""
    named = str(site.get("vllm_image") or "")
    if named and "{{" not in named:
        return named
    return str(site.get("synapse_images", {}).get(VLLM.name, ""))


RULES = (image,)
