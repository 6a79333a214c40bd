"""A GPU shared by processes through a folder on a local file system.

The folder holds `total_bytes` and one claim file per engine with the number of bytes in use.
Each claim is locked by its owner for as long as it lives, so a killed engine frees its memory
at once, also when engines cannot see each other's process ids (containers).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vllm_simulator.gpu.protocol import check_fit


class DirectoryGpu:
    """A GPU whose table is a folder of locked files."""

    def __init__(self, folder: Path, total_bytes: int | None = None) -> None:
        """Open the GPU in `folder`; with `total_bytes`, make it first if it is missing."""
        self._folder = folder
        size_file = folder / "total_bytes"
        if total_bytes is not None:
            folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                if not size_file.exists():
                    size_file.write_text(f"{total_bytes}\n")
        if not size_file.exists():
            raise FileNotFoundError(
                f"{folder} is not a simulated GPU (it has no total_bytes); name its size."
            )
        self._total_bytes = int(size_file.read_text())

    @property
    def total_bytes(self) -> int:
        """The size of the GPU."""
        return self._total_bytes

    def holders(self) -> dict[str, int]:
        """Name every living owner with the bytes it holds."""
        with self._locked():
            return self._living()

    def open(self, owner: str) -> "DirectoryClaim":
        """Register `owner` with zero bytes."""
        path = self._folder / f"{owner.replace('/', '_')}.claim"
        with self._locked():
            if path.stem in self._living():
                raise ValueError(f"{owner} already holds memory on this GPU; names must differ.")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.truncate(descriptor, 0)
        return DirectoryClaim(self, path, descriptor)

    def hold(self, claim: "DirectoryClaim", n_bytes: int) -> None:
        """Set what `claim` holds, or raise OutOfMemoryError and keep the old amount."""
        with self._locked():
            others = sum(held for name, held in self._living().items() if name != claim.name)
            check_fit(self._total_bytes, others, n_bytes, claim.name)
            os.pwrite(claim.descriptor, f"{n_bytes:<20d}".encode(), 0)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _living(self) -> dict[str, int]:
        held = {}
        for path in self._folder.glob("*.claim"):
            if _is_abandoned(path):
                path.unlink(missing_ok=True)
            else:
                held[path.stem] = int(path.read_text() or 0)
        return held


def _is_abandoned(path: Path) -> bool:
    """Tell whether the owner of a claim is gone: only then can somebody else lock its file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


class DirectoryClaim:
    """What one owner holds on a DirectoryGpu."""

    def __init__(self, gpu: DirectoryGpu, path: Path, descriptor: int) -> None:
        """Keep the locked descriptor: it is the proof of life."""
        self._gpu, self._path, self.descriptor = gpu, path, descriptor
        self.name = path.stem

    def resize(self, n_bytes: int) -> None:
        """Hold `n_bytes` from now on, or raise OutOfMemoryError and keep the old amount."""
        self._gpu.hold(self, n_bytes)

    def close(self) -> None:
        """Give everything back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
