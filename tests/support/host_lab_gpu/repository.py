"""apt repositories with real signatures, laid out as NVIDIA's: all of it in one folder."""

import gzip
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from synapse_testbed.commands import run


@dataclass(frozen=True)
class Key:
    """A key made on the spot, in a key ring of its own."""

    home: Path
    fingerprint: str

    def public(self) -> str:
        """Return the public key as people download it."""
        return _gpg(self.home, "--armor", "--export", self.fingerprint)

    def sign(self, text: str) -> str:
        """Return the text with its signature, as apt reads it from InRelease."""
        plain = self.home / "to-sign"
        plain.write_text(text)
        return _gpg(
            self.home, "--local-user", self.fingerprint, "--output=-", "--clear-sign", str(plain)
        )


@contextmanager
def new_key(owner: str) -> Iterator[Key]:
    """Make a key that is gone at the end."""
    # Short, for gpg's agent listens on a socket in it.
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    try:
        _gpg(home, "--passphrase=", "--quick-generate-key", owner, "rsa3072", "sign", "never")
        listed = _gpg(home, "--with-colons", "--list-keys")
        records = [line.split(":") for line in listed.splitlines()]
        # A key's fingerprint is the tenth field of the record behind it.
        behind = next(at for at, record in enumerate(records) if record[0] == "pub") + 1
        yield Key(home, records[behind][9])
    finally:
        run(["gpgconf", "--homedir", str(home), "--kill", "all"], limit_s=30)
        shutil.rmtree(home, ignore_errors=True)


def publish(folder: Path, packages: Iterable[Path], key: Key, *, valid_for: timedelta) -> None:
    """Fill a folder with these packages and their signed indexes.

    `valid_for` may be negative: the repository is past its time then, as where somebody holds back
    news of a hole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        _link(package, folder / package.name)
    index = "".join(_paragraph(path) for path in sorted(folder.glob("*.deb"))).encode()
    files = {"Packages": index, "Packages.gz": gzip.compress(index, mtime=0)}
    for name, content in files.items():
        _replace(folder / name, content)
    _replace(folder / "InRelease", key.sign(_release(files, valid_for)).encode())


def tamper(folder: Path, package: str) -> Path:
    """Change one byte in the middle of a published package; the indexes still name the old one."""
    found = next(folder.glob(f"{package}_*.deb"))
    content = bytearray(found.read_bytes())
    content[len(content) // 2] ^= 1
    _replace(found, bytes(content))
    return found


def _release(files: dict[str, bytes], valid_for: timedelta) -> str:
    now = datetime.now(UTC)
    # Made before it ends, whenever that is.
    date = min(now, now + valid_for - timedelta(days=1))
    lines = [
        "Origin: Synapse's tests",
        "Label: simulated NVIDIA",
        f"Date: {format_datetime(date, usegmt=True)}",
        f"Valid-Until: {format_datetime(now + valid_for, usegmt=True)}",
        "Architectures: amd64",
        "SHA256:",
    ]
    sums = [
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}"
        for name, content in files.items()
    ]
    return "\n".join([*lines, *sums, ""])


def _paragraph(package: Path) -> str:
    control = run(["dpkg-deb", "--field", str(package)], limit_s=60).strip()
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    size = package.stat().st_size
    return f"{control}\nFilename: ./{package.name}\nSize: {size}\nSHA256: {digest}\n\n"


def _link(source: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)


def _replace(place: Path, content: bytes) -> None:
    """Write a new file there: the old one may be a link to the cache's."""
    partial = place.with_name(f".{place.name}.partial")
    partial.write_bytes(content)
    partial.replace(place)


def _gpg(home: Path, *command: str) -> str:
    return run(
        ["gpg", "--batch", "--yes", "--quiet", "--homedir", str(home), *command], limit_s=120
    )
