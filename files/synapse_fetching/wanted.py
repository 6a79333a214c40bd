"""What can be fetched: a model that hears or a voice that speaks; each knows when it is whole."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Container, Mapping
from pathlib import Path

from huggingface_hub import hf_hub_download, try_to_load_from_cache

from synapse_fetching import cards
from synapse_fetching.cards import README

VOICES = "rhasspy/piper-voices"


class Wanted:
    """One thing of a repository, as far as its kinds are alike."""

    name: str
    repository: str
    store: Path
    """Where its files arrive."""
    needed: tuple[tuple[str, ...], ...]
    """Without one file of each of these it is of no use."""
    further: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Return all that is fetched where the repository has it, in this order."""
        return (*self.further, *(file for choice in self.needed for file in choice))

    def absent(self, there: Container[str]) -> list[str]:
        """Return what is needed and not there."""
        return [
            " or ".join(choice)
            for choice in self.needed
            if not any(file in there for file in choice)
        ]

    def arrived(self, sizes: Mapping[str, int]) -> int:
        """Return how many bytes of these files are on the volume, unfinished ones too."""
        size = sum(size for file, size in sizes.items() if self.has(file))
        for part in self.store.rglob("*.incomplete"):
            with contextlib.suppress(FileNotFoundError):  # finished just now
                size += part.stat().st_size
        return size

    def has(self, file: str) -> bool:
        """Tell whether this file has arrived whole."""
        raise NotImplementedError

    def is_there(self) -> bool:
        """Tell whether it can be served; nothing is asked of the network."""
        raise NotImplementedError

    def unfit(self) -> str:
        """Ask the network why it would be of no use, before it is fetched; empty: it is of use."""
        return ""

    def unfit_here(self) -> str:
        """Say why what is there of it is of no use; empty: nothing speaks against it."""
        return ""

    def fetch(self, file: str) -> None:
        """Fetch one file, from where an earlier download broke off; it is whole at the end."""
        raise NotImplementedError

    def begin(self) -> None:
        """Prepare the volume for the first file."""

    def finish(self) -> None:
        """Put it where it is served from, once every file has arrived."""


class Model(Wanted):
    """A model of faster-whisper in Hugging Face's cache, where Speaches looks for it.

    Speaches lists what has a model card, whatever else is missing: README.md comes last.
    """

    needed = (
        ("config.json",),
        ("tokenizer.json",),  # faster-whisper asks the network for one of its own otherwise
        ("vocabulary.json", "vocabulary.txt"),
        ("model.bin",),
        (README,),
    )
    further = ("preprocessor_config.json",)

    def __init__(self, name: str, folder: Path) -> None:
        """Look for it in this cache."""
        self.name = self.repository = name
        self._folder = folder
        self.store = folder / f"models--{name.replace('/', '--')}"

    def has(self, file: str) -> bool:
        """Tell whether the newest revision here has this file."""
        return self._cached(file) is not None

    def is_there(self) -> bool:
        """Tell whether every file is there: a model card alone was fetched by something else."""
        here = {file for file in self.files if self.has(file)}
        return not (self.absent(here) or self.unfit_here())

    def unfit(self) -> str:
        """Read the model card, beside the cache: in it Speaches would list the model already."""
        with tempfile.TemporaryDirectory() as folder:
            return cards.unfit(Path(hf_hub_download(self.repository, README, local_dir=folder)))

    def unfit_here(self) -> str:
        """Read the model card in the cache."""
        card = self._cached(README)
        return cards.unfit(card) if card else ""

    def fetch(self, file: str) -> None:
        """Fetch one file into the cache."""
        hf_hub_download(self.repository, file, cache_dir=self._folder)

    def begin(self) -> None:
        """Have Speaches list a model no more that is not whole."""
        card = self._cached(README)
        if card:
            card.unlink()

    def _cached(self, file: str) -> Path | None:
        found = try_to_load_from_cache(self.repository, file, cache_dir=self._folder)
        return Path(found) if isinstance(found, str) else None


class Voice(Wanted):
    """A voice of Piper: two files side by side, where the speech server looks for them."""

    repository = VOICES

    def __init__(self, name: str, folder: Path) -> None:
        """Look for it in this folder."""
        self.name = name
        self._folder = folder
        self.store = folder / f"{name}.partial"
        place = name.partition("-")[0]
        path = "/".join([place.partition("_")[0], place, *name.split("-", 2)[1:], name])
        self.needed = ((f"{path}.onnx.json",), (f"{path}.onnx",))

    def has(self, file: str) -> bool:
        """Tell whether this file waits for the other one."""
        return (self.store / file).is_file()

    def is_there(self) -> bool:
        """Tell whether both files are there."""
        return all((self._folder / Path(file).name).is_file() for file in self.files)

    def fetch(self, file: str) -> None:
        """Fetch one file into a folder beside the voices."""
        hf_hub_download(self.repository, file, local_dir=self.store)

    def finish(self) -> None:
        """Move what is known of the voice first: a model alone would be loaded without it."""
        for file in self.files:
            (self.store / file).rename(self._folder / Path(file).name)
        shutil.rmtree(self.store)


KINDS: dict[str, type[Model] | type[Voice]] = {"models": Model, "voices": Voice}
