"""What the role nvidia decides on a server: each a question to its facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from synapse_host.facts import HostFacts
from synapse_host.nvidia_packages import held_patterns
from synapse_host.rules.gpu import OLDEST_DRIVER, needs_open

NVIDIA = "10de"
CDI_SPEC = "/var/run/cdi/nvidia.yaml"
LASTING_CDI_SPEC = "/etc/cdi/nvidia.yaml"
REFRESHES_SINCE = (1, 18)
"""The toolkit's own units write the specification at each boot and after each driver."""
RUNTIME = "nvidia"
OPEN_MODULES = re.compile(
    r"linux-modules-nvidia-\d+-open|nvidia-kernel-open-dkms|nvidia-dkms-\d+-open"
)


def has_gpu(facts: HostFacts) -> bool:
    """Tell whether a GPU of NVIDIA is on the bus."""
    return any(gpu.vendor == NVIDIA for gpu in facts.gpus)


def replaces(facts: HostFacts) -> bool:
    """Tell whether a driver that cannot serve is replaced where drivers may be installed.

    Not one that NVIDIA's own installer brought, which no package manager takes away, and not
    under a desktop, which would lose its pictures.
    """
    driver = facts.driver
    if not driver.loaded or not driver.packages or driver.displays:
        return False
    too_old = int(driver.loaded.split(".")[0]) < int(OLDEST_DRIVER)
    return too_old or (driver.kind == "closed" and needs_open(facts))


def on_disk(facts: HostFacts) -> str:
    """Return which driver the next boot brings in, such as `595.84 open`; empty: none."""
    opened = any(OPEN_MODULES.match(name) for name in facts.driver.packages)
    return f"{facts.driver.library}{' open' if opened else ''}" if facts.driver.library else ""


def wants_reboot(facts: HostFacts) -> bool:
    """Tell whether the driver on the disk is not the one that runs."""
    it = facts.driver
    other = it.loaded != it.library or (it.kind == "closed" and on_disk(facts).endswith("open"))
    return bool(it.library) and other


def cdi_to_write(facts: HostFacts) -> tuple[str, ...]:
    """Return the files that have to be written for containers to find this driver's devices."""
    if not facts.driver.cards or not facts.toolkit.runtimes:
        return ()
    driver = facts.driver.loaded
    uuids = {card.uuid for card in facts.driver.cards}
    ours = [
        spec
        for spec in facts.toolkit.cdi
        if any(name.startswith("nvidia.com/gpu=") for name in spec.devices)
    ]
    if not ours:
        numbers = re.findall(r"\d+", facts.toolkit.version)[:2]
        refreshed = tuple(map(int, numbers)) >= REFRESHES_SINCE
        return (CDI_SPEC if refreshed else LASTING_CDI_SPEC,)
    return tuple(
        spec.path
        for spec in ours
        if spec.driver != driver or not uuids <= {name.partition("=")[2] for name in spec.devices}
    )


def is_legacy(facts: HostFacts) -> bool:
    """Tell whether containers get devices behind systemd's back, and lose them at its reload."""
    return facts.toolkit.mode == "legacy"


def lacks_runtime(facts: HostFacts) -> bool:
    """Tell whether K3s started before there was a runtime for it to find."""
    found = bool(facts.toolkit.runtimes)
    return found and facts.k3s.unit == "active" and RUNTIME not in facts.k3s.containerd_runtimes


def containerd_config(facts: HostFacts) -> str:
    """Return the file in which K3s writes down the runtimes that it found when it started."""
    return f"{facts.k3s.data_dir}/agent/etc/containerd/config.toml"


def why_no_restart(facts: HostFacts) -> str:
    """Return why K3s is not restarted to find the runtime; empty: nothing is in the way."""
    folder = f"{facts.k3s.data_dir}/agent/etc/containerd"
    if facts.k3s.containerd_edited:
        return (
            f"{folder}/config.toml was written by hand, and K3s writes it anew when it starts: "
            "what stands there would be lost. Move your lines into config-v3.toml.tmpl beside it, "
            'below {{ template "base" . }}, then run `sudo systemctl restart k3s` and this again.'
        )
    if facts.k3s.templates and not facts.k3s.template_has_base:
        named = ", ".join(f"{folder}/{name}" for name in facts.k3s.templates)
        return (
            f"{named} replaces K3s' own configuration of containerd, so that K3s cannot add the "
            'runtime nvidia. Begin it with {{ template "base" . }}, named config-v3.toml.tmpl, or '
            "take it away, then run this again."
        )
    return ""


def why_no_runtime(facts: HostFacts) -> str:
    """Return why K3s has no runtime nvidia although it was started after the toolkit came."""
    if not lacks_runtime(facts):
        return ""
    return why_no_restart(facts) or (
        "K3s was restarted and has not found nvidia-container-runtime, which lies at "
        f"{', '.join(facts.toolkit.runtimes)}. `sudo journalctl -u k3s | grep -i nvidia` tells "
        "where it looked."
    )


def power_fault(facts: HostFacts, limit_w: float | None) -> str:
    """Return why the GPU cannot take this power limit; empty: it can, or none is asked for."""
    if limit_w is None:
        return ""
    for card in facts.driver.cards:
        if not card.takes_w(limit_w):
            low, high = card.power_min_w or 0, card.power_max_w or float("inf")
            return (
                f"nvidia_power_limit_w is {limit_w:g}, and {card.name} takes {low:g} to {high:g} W."
            )
    return ""


def to_hold(facts: HostFacts, selections: Iterable[str]) -> tuple[str, ...]:
    """Return the packages that nothing may upgrade by itself and that are not held yet.

    A selection is a line such as `install installed nvidia-utils-595`, as dpkg tells.
    """
    patterns = [re.compile(pattern) for pattern in held_patterns(facts.system)]
    rows = (line.split() for line in selections)
    return tuple(
        sorted(
            name
            for want, status, name in (row for row in rows if len(row) == 3)
            if status == "installed"
            and want != "hold"
            and any(pattern.fullmatch(name) for pattern in patterns)
        )
    )


def environment(proxy: Mapping[str, object] | None) -> dict[str, str]:
    """Return the variables with which programs on the server reach the internet."""
    made = {}
    for name in ("http", "https"):
        if proxy and proxy.get(name):
            made[f"{name}_proxy"] = str(proxy[name])
    if made and proxy and isinstance(without := proxy.get("no_proxy"), list | tuple):
        made["no_proxy"] = ",".join(map(str, without))
    return made
