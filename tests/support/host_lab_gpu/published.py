"""NVIDIA's two repositories as a folder for a web server, each right and in three ways wrong."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from host_lab_gpu import driver, repository, toolkit
from host_lab_gpu.repository import Key, new_key
from synapse_testbed.cache import Cache

TOOLKIT = "libnvidia-container/stable/deb/amd64"
TOOLKIT_KEY = "libnvidia-container/gpgkey"
DRIVER = "compute/cuda/repos"
RELEASE = "debian13"
DRIVER_KEY = "8793F200.pub"
# A folder each below the root: right; signed by another key than is published; a package that was
# changed after it was signed; an index past its time.
VARIANTS = ("right", "other-key", "tampered", "expired")
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Published:
    """The fingerprints of the keys that are published, by which people trust them."""

    toolkit_fingerprint: str
    driver_fingerprint: str

    def variables(self, address: str, variant: str = "right") -> dict[str, object]:
        """Return what role nvidia is to be told when a web server has the folder at an address."""
        root = f"{address}/{variant}"
        return {
            "nvidia_toolkit_version": toolkit.version().removesuffix("-1"),
            "nvidia_toolkit_repository": f"{root}/{TOOLKIT.rpartition('/')[0]}",
            "nvidia_toolkit_key_url": f"{root}/{TOOLKIT_KEY}",
            "nvidia_toolkit_key_fingerprint": self.toolkit_fingerprint,
            "nvidia_driver_repository": f"{root}/{DRIVER}",
            "nvidia_driver_keys": {
                "13": {"name": DRIVER_KEY, "fingerprint": self.driver_fingerprint}
            },
        }


def publish(cache: Cache, folder: Path) -> Published:
    """Make all variants anew in a folder, with keys made on the spot; it is whole or not there."""
    packages = {
        TOOLKIT: debs(cache.obtain(toolkit.packages())),
        f"{DRIVER}/{RELEASE}/x86_64": [
            deb
            for version in driver.VERSIONS
            for deb in debs(cache.obtain(driver.packages(version)))
        ],
    }
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with (
        new_key("NVIDIA's toolkit, simulated <toolkit@localhost>") as of_toolkit,
        new_key("NVIDIA's driver, simulated <driver@localhost>") as of_driver,
        new_key("Somebody else <else@localhost>") as of_others,
    ):
        right = dict(zip(packages, (of_toolkit, of_driver), strict=True))
        for variant in VARIANTS:
            keys = dict.fromkeys(packages, of_others) if variant == "other-key" else right
            _fill(partial / variant, packages, keys, -WEEK if variant == "expired" else WEEK)
            (partial / variant / TOOLKIT_KEY).write_text(of_toolkit.public())
            place = partial / variant / DRIVER / RELEASE / "x86_64" / DRIVER_KEY
            place.write_text(of_driver.public())
        published = Published(of_toolkit.fingerprint, of_driver.fingerprint)
    tampered = partial / "tampered"
    repository.tamper(tampered / TOOLKIT, "nvidia-container-toolkit-base")
    repository.tamper(tampered / DRIVER / RELEASE / "x86_64", "nvidia-driver-cuda")
    (partial / "published.json").write_text(json.dumps(asdict(published)))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return published


def debs(folder: Path) -> list[Path]:
    """Return the packages in a folder."""
    return sorted(folder.glob("*.deb"))


def _fill(
    root: Path,
    packages: Mapping[str, Sequence[Path]],
    keys: Mapping[str, Key],
    valid_for: timedelta,
) -> None:
    for place, files in packages.items():
        repository.publish(root / place, files, keys[place], valid_for=valid_for)
