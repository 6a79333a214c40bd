"""One download, in a thread of its own: it may hang, and somebody tells its progress meanwhile."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable

from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from synapse_fetching.wanted import Wanted

MIB, GIB = 1024**2, 1024**3
SHOWN = 300


class Fault(Exception):  # noqa: N818  # a reason why something cannot be had, no error of ours
    """It cannot be had; the text says why."""


class Download(threading.Thread):
    """Fetches one thing; afterwards `reason` says why it could not be had, or nothing."""

    def __init__(self, item: Wanted, reserve_bytes: int, say: Callable[[str], None]) -> None:
        """Prepare; it runs once it is started."""
        super().__init__(daemon=True)
        self._item = item
        self._reserve_bytes = reserve_bytes
        self._say = say
        self.sizes: dict[str, int] = {}
        self.reason = ""

    def run(self) -> None:
        """Fetch it whole; whatever goes wrong ends up as the reason."""
        try:
            self._fetch()
        except Exception as error:
            # Another pod may have been faster.
            self.reason = "" if self._item.is_there() else reason(error)

    def progress(self) -> str:
        """Return how far it has come."""
        whole = sum(self.sizes.values())
        arrived = min(self._item.arrived(self.sizes), whole)
        return f"{arrived // MIB:,} of {whole // MIB:,} MiB"

    def _fetch(self) -> None:
        item = self._item
        self.sizes = _sizes(item)
        unfit = item.unfit()
        if unfit:
            raise Fault(unfit)
        item.begin()
        missing = sum(self.sizes.values()) - item.arrived(self.sizes)
        free = shutil.disk_usage(item.store.parent).free
        if missing + self._reserve_bytes > free:
            raise Fault(
                f"{missing / GIB:.1f} GiB are to come and {self._reserve_bytes / GIB:.1f} GiB stay "
                f"in reserve, but only {free / GIB:.1f} GiB are free on the volume"
            )
        for file in self.sizes:
            self._bring(file)
        item.finish()

    def _bring(self, file: str) -> None:
        """Fetch one file; as long as something arrives, a broken connection is no reason to end."""
        while True:
            before = self._item.arrived(self.sizes)
            try:
                self._item.fetch(file)
                return
            except Exception as error:
                if self._item.arrived(self.sizes) <= before:
                    raise
                self._say(f"{self._item.name}: {reason(error)}; going on from {self.progress()}")


def _sizes(item: Wanted) -> dict[str, int]:
    """Ask how large each file is that its repository has, in the order they are fetched."""
    told = {
        found.path: int(found.size)
        for found in HfApi().get_paths_info(item.repository, list(item.files))
        if hasattr(found, "size")
    }
    absent = item.absent(told)
    if absent:
        raise Fault(f"the repository {item.repository} has no {' and no '.join(absent)}")
    return {file: told[file] for file in item.files if file in told}


def reason(error: Exception) -> str:
    """Say in one line why something could not be had."""
    if isinstance(error, Fault):
        return str(error)
    if isinstance(error, GatedRepoError):
        return "its repository is open only to those who log in"
    if isinstance(error, RepositoryNotFoundError):
        return "Hugging Face has no such repository, or a private one"
    text = type(error).__name__
    cause: BaseException | None = error
    while cause is not None:  # the first of a chain says it without the libraries around it
        text = str(cause) or text
        cause = cause.__cause__ or cause.__context__
    return f"its download failed: {' '.join(text.split())[:SHOWN]}"
