"""The facts of a server, as the module `host_facts` reads them there; nothing here asks anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

State = Literal["absent", "inactive", "active", "failed"]


@dataclass(frozen=True)
class System:
    """The operating system."""

    id: str
    """As in os-release: debian, ubuntu."""
    version: str
    codename: str
    kernel: str
    architecture: str
    hostname: str
    has_systemd: bool
    container: str = ""
    """What systemd-detect-virt --container prints; empty on a machine."""
    cores: int = 1
    memory_gib: float = 0.0
    swap_gib: float = 0.0
    clock_synchronized: bool | None = None
    """None where nobody tells."""
    clock_service: str = ""
    """The active unit that sets the clock, such as chrony.service."""
    reboot_required_by: tuple[str, ...] = ()
    """Packages that want a reboot; ("?",) where one is wanted and nobody says why."""
    sudo: Literal["sudo", "sudo-rs", "none"] = "sudo"
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Only those that a role sets: see `synapse_host.settings`."""
    open_files: int = 0
    """The hard limit of a new service."""
    reached_from: str = ""
    """The address of who is connected by ssh; empty without ssh."""
    reached_at: int = 0
    """The port of this server that this connection came to, as SSH_CONNECTION tells; 0: no ssh."""
    address: str = ""
    """The address of the default route's interface."""
    has_default_route: bool = True
    now: str = ""
    """Its clock when the facts were read, in UTC as 2027-01-31T00:00:00Z."""
    unattended_upgrades: bool = False
    """Packages are upgraded by night, without anybody asking."""
    is_root: bool = True
    """These facts were read as root; else some are missing."""


@dataclass(frozen=True)
class Disk:
    """A mounted file system that can hold data."""

    mount: str
    type: str
    size_gib: float
    free_gib: float


@dataclass(frozen=True)
class Listener:
    """A socket that is reached from outside the machine."""

    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    program: str
    """Empty where it is the kernel's, or cannot be seen."""


@dataclass(frozen=True)
class Firewalls:
    """Who filters packets."""

    ufw: State = "absent"
    firewalld: State = "absent"
    nftables: State = "absent"
    tables: tuple[str, ...] = ()
    """Of nftables, such as `inet filter`; those of K3s are among them."""
    ours: bool = False
    """Our own rules are loaded: the table `inet synapse`."""
    forwarded: tuple[Listener, ...] = ()
    """Ports of this server that lead to pods or containers by rules alone: no socket shows them."""


@dataclass(frozen=True)
class K3s:
    """K3s on the server, whoever installed it."""

    version: str = ""
    """As `k3s --version` tells, such as v1.30.0+k3s1; empty: no binary."""
    binary: str = ""
    """Its path."""
    unit: State = "absent"
    main_pid: int = 0
    has_run: bool = False
    """Its data directory holds a datastore."""
    datastore: Literal["none", "sqlite", "etcd", "external"] = "none"
    data_dir: str = "/var/lib/rancher/k3s"
    arguments: tuple[str, ...] = ()
    """Of ExecStart, without the values of those that are secret."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Of config.yaml and config.yaml.d, without secrets (`token`, `agent-token`, datastore)."""
    config_faults: tuple[str, ...] = ()
    """A sentence for each of these files that cannot be read."""
    config_mode: str = ""
    """Of config.yaml, such as 0600; empty: no file."""
    templates: tuple[str, ...] = ()
    """Of containerd's configuration, such as config.toml.tmpl, config-v3.toml.tmpl."""
    template_has_base: bool = True
    """Each template extends K3s' own."""
    containerd_edited: bool = False
    """config.toml is newer than K3s' last start: a hand wrote into it."""
    containerd_runtimes: tuple[str, ...] = ()
    """Named in config.toml, such as runc, nvidia."""
    certificates_end: str = ""
    """The earliest end of a server certificate, in UTC as 2027-01-31T00:00:00Z; empty: none."""
    is_agent: bool = False
    ours: str = ""
    """The version that the role installed, from its own record; empty: it did not."""
    was_lived_in: bool | None = None
    """Of our record: was something here when the role came first; None: it never came."""

    @property
    def api_port(self) -> int:
        """Return where the Kubernetes API listens."""
        words = [*" ".join(self.arguments).replace("=", " ").split(), "", ""]
        told = dict(pairwise(words)).get("--https-listen-port")
        return int(told or self.config.get("https-listen-port") or 6443)


@dataclass(frozen=True)
class Gpu:
    """A display device on the PCI bus."""

    address: str
    vendor: str
    """Four hexadecimal digits: 10de is NVIDIA."""
    device: str
    """Likewise: 2b85 is an RTX 5090."""
    driver: str = ""
    """The kernel driver that is bound: nvidia, nouveau, vfio-pci; empty: none."""
    largest_bar_gib: float = 0.0


@dataclass(frozen=True)
class Card:
    """A GPU as the driver shows it."""

    name: str
    uuid: str
    memory_mib: int
    reserved_mib: int = 0
    """What the driver keeps for itself, so that no program gets it; 0 where it does not tell."""
    used_mib: int = 0
    persistence: bool | None = None
    power_limit_w: float | None = None
    power_default_w: float | None = None
    power_min_w: float | None = None
    power_max_w: float | None = None
    mig: bool = False

    def takes_w(self, limit_w: float) -> bool:
        """Tell whether it can be limited to this power; a bound that it does not tell is none."""
        low_w, high_w = self.power_min_w, self.power_max_w
        return (low_w is None or low_w <= limit_w) and (high_w is None or limit_w <= high_w)


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver: what is loaded, what is installed, what it says."""

    loaded: str = ""
    """The version of the kernel module; empty: not loaded."""
    kind: Literal["", "open", "closed"] = ""
    library: str = ""
    """The version of the driver's libraries on disk; empty: none."""
    cuda: str = ""
    """The newest CUDA that it runs, such as 13.0."""
    cards: tuple[Card, ...] = ()
    error: str = ""
    """What nvidia-smi says when it fails, one line."""
    kernel_log: tuple[str, ...] = ()
    """Lines of NVRM, of module loading and of Secure Boot, the last twenty."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Installed packages of driver and toolkit, with their versions."""
    held: tuple[str, ...] = ()
    """Packages that are not upgraded unasked."""
    secure_boot: bool = False
    key_enrolled: bool | None = None
    """A key of the machine's owner signs modules; None: nobody can tell."""
    mps: bool = False
    """nvidia-cuda-mps-control runs: somebody shares the GPU by MPS."""
    displays: tuple[str, ...] = ()
    """Programs of a desktop that hold memory of the GPU, such as Xorg."""


@dataclass(frozen=True)
class CdiSpec:
    """A file that tells container runtimes of devices."""

    path: str
    devices: tuple[str, ...]
    """Such as nvidia.com/gpu=all."""
    driver: str
    """The version of the libraries that it names; empty: none."""


@dataclass(frozen=True)
class Toolkit:
    """NVIDIA's container toolkit."""

    version: str = ""
    runtimes: tuple[str, ...] = ()
    """Where nvidia-container-runtime lies, in the order in which K3s looks."""
    mode: str = ""
    """`mode` of its config.toml: auto, cdi, legacy."""
    cdi: tuple[CdiSpec, ...] = ()
    sources: tuple[str, ...] = ()
    """apt sources that name nvidia.github.io."""


@dataclass(frozen=True)
class HostFacts:
    """Everything that is known of a server."""

    system: System
    disks: tuple[Disk, ...] = ()
    listeners: tuple[Listener, ...] = ()
    firewalls: Firewalls = Firewalls()
    k3s: K3s = K3s()
    gpus: tuple[Gpu, ...] = ()
    driver: Driver = Driver()
    toolkit: Toolkit = Toolkit()
    containers: tuple[str, ...] = ()
    """Who else keeps containers here: docker, podman, kubelet, microk8s and such."""
    unseen: tuple[str, ...] = ()
    """What could not be looked at, one sentence each: not root, a file that cannot be read."""

    def disk_of(self, path: str) -> Disk | None:
        """Return the file system that a path lies on, or will lie on."""
        under = [
            disk
            for disk in self.disks
            if disk.mount == "/" or path == disk.mount or path.startswith(disk.mount + "/")
        ]
        return max(under, key=lambda disk: len(disk.mount), default=None)
