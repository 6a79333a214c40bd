"""NVIDIA's container toolkit: how a container gets the GPU, and whether K3s knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.finding import Finding
from synapse_host.facts import HostFacts
from synapse_host.rules.gpu import nvidia
from synapse_host.rules.say import DEPLOY_NVIDIA, gpu, listed, numbers

LEFTOVER = "/usr/local/nvidia/toolkit/"
"""Where NVIDIA's GPU operator puts its own; K3s looks there first."""
USUAL = "/usr/bin/nvidia-container-runtime"
CDI_BY_ITSELF = (1, 18)
"""Since then `mode = auto` gives devices by CDI."""
RUN = "/var/run/cdi/nvidia.yaml"
REFRESH = f"`sudo nvidia-ctk cdi generate --output={RUN}`"


def installed(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """The toolkit is there, in the version that Synapse ships or a newer one."""
    it = facts.toolkit
    wanted = site.get("synapse_server", {}).get("nvidia_container_toolkit", "")
    if not nvidia(facts):
        return
    if not it.version and not it.runtimes:
        yield gpu(
            "container toolkit",
            "none",
            f"{DEPLOY_NVIDIA} installs nvidia-container-toolkit {wanted}.".replace("  ", " "),
            goes_on=True,
        )
    elif it.version and numbers(it.version) < numbers(wanted):
        yield gpu(
            "container toolkit",
            it.version,
            f"Synapse was tried with {wanted}: {DEPLOY_NVIDIA} installs it where the package "
            "comes from NVIDIA's repository.",
            is_note=True,
        )
    else:
        yield gpu("container toolkit", it.version or listed(it.runtimes))


def leftover(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """No forgotten runtime wins over the one that the package brings."""
    left = [path for path in facts.toolkit.runtimes if path.startswith(LEFTOVER)]
    if left and USUAL in facts.toolkit.runtimes:
        yield gpu(
            "leftover runtime",
            listed(left),
            f"K3s takes it before {USUAL}, and it is an old one of the GPU operator: where the "
            f"operator runs no more, `sudo mv {LEFTOVER.rstrip('/')} /root/` and restart k3s.",
            goes_on=True,
        )


def mode(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """Containers keep their devices when systemd reloads: CDI names them, the old mode does not."""
    it = facts.toolkit
    legacy = it.mode == "legacy" or (
        it.mode == "auto" and it.version and numbers(it.version) < CDI_BY_ITSELF
    )
    if legacy:
        yield gpu(
            "toolkit's mode",
            f"{it.mode}, {it.version or 'unknown version'}",
            "After each `systemctl daemon-reload` running engines lose the GPU (`Failed to "
            "initialize NVML: Unknown Error`): `sudo nvidia-ctk config --in-place --set "
            "nvidia-container-runtime.mode=cdi`, then start the engines' pods anew.",
            goes_on=True,
        )


def cdi(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """The list of devices for containers is of this driver and has this GPU."""
    driver = facts.driver
    parted = driver.library and driver.loaded != driver.library  # a reboot mends that first
    if not driver.cards or not facts.toolkit.runtimes or parted:
        return
    specs = [
        one for one in facts.toolkit.cdi if any("nvidia.com/gpu=" in name for name in one.devices)
    ]
    if not specs and facts.toolkit.mode == "cdi":
        yield gpu(
            "cdi", "no list of devices", f"No container gets the GPU: {REFRESH}.", goes_on=True
        )
    for spec in specs:
        missing = [
            card.uuid
            for card in driver.cards
            if not any(name.endswith(card.uuid) for name in spec.devices)
        ]
        if spec.driver and spec.driver != driver.loaded:
            yield gpu(
                "cdi",
                f"{spec.path} is of driver {spec.driver}, not {driver.loaded}",
                f"Containers would get files that are gone: {REFRESH.replace(RUN, spec.path)}.",
                goes_on=True,
            )
        elif missing:
            yield gpu(
                "cdi",
                f"{spec.path} lacks {listed(missing)}",
                f"It is of another GPU: {REFRESH.replace(RUN, spec.path)}; "
                "`nvidia-ctk cdi list` shows what it has.",
                goes_on=True,
            )
        else:
            yield gpu("cdi", f"{spec.path}, {len(spec.devices)} names")


def runtime(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """K3s has found the runtime, which it looks for only when it starts."""
    if not facts.toolkit.runtimes or facts.k3s.unit != "active":
        return
    if "nvidia" in facts.k3s.containerd_runtimes:
        yield gpu("runtime of k3s", "nvidia")
    else:
        yield gpu(
            "runtime of k3s",
            "nvidia is missing in config.toml",
            "K3s looks for it only when it starts, and the toolkit came later: "
            f"{DEPLOY_NVIDIA}, or `sudo systemctl restart k3s` once.",
            goes_on=True,
        )


RULES = (installed, leftover, mode, cdi, runtime)
