"""Models in memory: loaded when somebody asks, dropped when nobody has asked for a while."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from faster_whisper import WhisperModel


@dataclass(frozen=True)
class Workers:
    """How a model works; one worker hears one recording's windows after another's."""

    device: str = "cpu"
    compute_type: str = "default"
    cpu_threads: int = 0
    num_workers: int = 1


class _Book:
    """One model, in memory or not."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.model: Any = None
        self.readers = 0
        self.timer: threading.Timer | None = None


class Shelf:
    """The models that this process holds."""

    def __init__(self, keep_s: int, workers: Workers) -> None:
        """Keep an unused model that long; -1 is for ever."""
        self._keep_s = keep_s
        self._workers = workers
        self._lock = threading.Lock()
        self._books: dict[str, _Book] = {}

    def names(self) -> list[str]:
        """Return the models in memory."""
        return [name for name, book in self._books.items() if book.model is not None]

    @contextlib.contextmanager
    def loaded(self, name: str) -> Iterator[Any]:
        """Have a model in memory; who comes while it is loaded waits for it."""
        with self._lock:
            book = self._books.setdefault(name, _Book())
        with book.lock:
            if book.model is None:
                book.model = WhisperModel(name, **asdict(self._workers))
            book.readers += 1
            if book.timer:
                book.timer.cancel()
            model = book.model
        try:
            yield model
        finally:
            self._return(book)

    def _return(self, book: _Book) -> None:
        with book.lock:
            book.readers -= 1
            if book.readers or self._keep_s < 0:
                return
            book.timer = threading.Timer(self._keep_s, _drop, [book])
            book.timer.daemon = True
            book.timer.start()


def _drop(book: _Book) -> None:
    with book.lock:
        if not book.readers:
            book.model = None
