"""One bare server: started, entered, restarted like a machine whose power was cut, removed."""

from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import IO

from synapse_testbed.commands import TestbedError, as_root, succeeds
from synapse_testbed.podman import LABEL, PODMAN, SYSTEMD, feed, kernel_modules, podman

# Kubernetes' folders: an overlay cannot lie on the overlay that is a container's root.
# And one disk more, where a site may want the models or the images.
VOLUMES = {"rancher": "/var/lib/rancher", "kubelet": "/var/lib/kubelet", "disk": "/srv/disk"}


@dataclass(frozen=True)
class Server:
    """A bare server, known by its name."""

    name: str

    def exists(self) -> bool:
        """Tell whether it is there, running or not."""
        return succeeds(as_root(*PODMAN, "container", "exists", self.name), limit_s=60)

    def run(self, image: str, mounts: dict[Path, str]) -> None:
        """Start it; `mounts` are folders of this machine and where it reads them."""
        volumes = [f"{self._volume(volume)}:{place}" for volume, place in VOLUMES.items()]
        podman(
            "run",
            "--detach",
            f"--name={self.name}",
            f"--hostname={self.name}",
            f"--label={LABEL}=host",
            *_fixed_addresses(self.name),
            *SYSTEMD,
            *(f"--volume={volume}" for volume in volumes),
            *(f"--volume={folder}:{place}:ro" for folder, place in mounts.items()),
            *kernel_modules(),
            image,
        )

    def exec(self, *command: str, limit_s: float = 300) -> str:
        """Run a command in it as root and return what it printed."""
        return podman("exec", self.name, *command, limit_s=limit_s)

    def shell(self, script: str, limit_s: float = 300) -> str:
        """Run a shell script in it as root and return what it printed."""
        return self.exec("bash", "-euo", "pipefail", "-c", script, limit_s=limit_s)

    def write(self, place: str, text: str, mode: str = "0644") -> None:
        """Write a file in it, whole or not at all."""
        made = (
            f"cat > {place}.partial && chmod {mode} {place}.partial && mv {place}.partial {place}"
        )
        command = as_root(*PODMAN, "exec", "--interactive", self.name, "sh", "-ec", made)
        feed(command, lambda pipe: _send(pipe, text))

    def address(self) -> str:
        """Return its address, by which this machine and all other such servers reach it."""
        found = podman("inspect", self.name, "--format", "{{.NetworkSettings.IPAddress}}").strip()
        if not found:
            raise TestbedError(f"{self.name} has no address: it does not run")
        return found

    def cut_power(self) -> None:
        """Kill everything in it at once and start it again, as after a power failure."""
        podman("stop", "--time=0", self.name)
        podman("start", self.name)

    def reboot(self) -> None:
        """Stop it in good order and start it again."""
        podman("stop", "--time=20", self.name)
        podman("start", self.name)

    def remove(self) -> None:
        """Remove it and all it has written."""
        if self.exists():
            podman("rm", "--force", "--time=0", self.name)
        for volume in VOLUMES:
            if succeeds(as_root(*PODMAN, "volume", "exists", self._volume(volume)), limit_s=60):
                podman("volume", "rm", "--force", self._volume(volume))

    def _volume(self, volume: str) -> str:
        return f"{self.name}-{volume}"


def _fixed_addresses(name: str) -> list[str]:
    """Return flags for addresses that follow from the name: after a restart they are the same."""
    query = ["network", "inspect", "podman", "--format", "{{(index .Subnets 0).Subnet}}"]
    network = ip_network(podman(*query).strip())
    half = network.num_addresses // 2
    address = network[half - 1 + int(sha256(name.encode()).hexdigest(), 16) % half]
    return [f"--ip={address}", f"--mac-address=02:00:{address.packed.hex(':')}"]


def _send(pipe: IO[bytes], text: str) -> None:
    pipe.write(text.encode())
