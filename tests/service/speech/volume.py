"""The program that fetches, as a process of its own with a volume of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from huggingface_hub import scan_cache_dir

from gateway_process import environment
from model_hub import Hub

from .conftest import REPOSITORY

LIMIT_S = 60
MODEL = {
    "README.md": b"---\nlibrary_name: ctranslate2\ntags: [automatic-speech-recognition]\n---\n",
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "vocabulary.txt": b"a\nb\n",
    "model.bin": bytes(range(256)) * 4096 * 24,
}
MIB = 1024**2
PIECE = 10 * MIB
"""What huggingface_hub writes at a time: less than that is lost when a connection breaks."""
VOICE = "en_US-amy-medium"
VOICE_FILES = {
    f"en/en_US/amy/medium/{VOICE}.onnx": b"network" * 1000,
    f"en/en_US/amy/medium/{VOICE}.onnx.json": b"{}",
}


class Fetching:
    """The program, with a volume of its own."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.folder = folder / "hub"
        self.report = folder / "report"
        self._environment = environment(
            PYTHONPATH=str(REPOSITORY / "files"),
            HF_ENDPOINT=hub.url, HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_PROGRESS_BARS="1",
            HF_HUB_DOWNLOAD_TIMEOUT=str(LIMIT_S), HOME=str(folder),
        )  # fmt: skip

    def start(
        self, kind: str, *names: str, limit_s: float = LIMIT_S, reserve_gib: float = 0
    ) -> subprocess.Popen[str]:
        """Start it."""
        command = [sys.executable, "-m", "synapse_fetching", kind, "--folder", str(self.folder)]
        command += ["--report", str(self.report), "--limit-s", str(limit_s)]
        return subprocess.Popen(
            [*command, "--reserve-gib", str(reserve_gib), *names],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, limit_s: float = LIMIT_S, reserve_gib: float = 0) -> str:
        """Run it to its end, which is always a good one; return what it said."""
        with self.start(*words, limit_s=limit_s, reserve_gib=reserve_gib) as process:
            told, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, told
        return told

    def reasons(self) -> dict[str, str]:
        """Return why what could not be had."""
        lines = self.report.read_text().splitlines()
        return {name: reason for name, _, reason in (line.partition(": ") for line in lines)}

    def whole(self, name: str = "owner/good") -> bool:
        """Tell whether the volume holds the model's every byte."""
        store = self.folder / f"models--{name.replace('/', '--')}"
        if not (store / "refs/main").is_file():
            return False
        snapshot = store / "snapshots" / (store / "refs/main").read_text()
        return all(
            (snapshot / file).is_file() and (snapshot / file).read_bytes() == content
            for file, content in MODEL.items()
        )

    def listed(self) -> set[str]:
        """Return the models that Speaches would list: those with a model card in the cache."""
        return {
            repository.repo_id
            for repository in scan_cache_dir(self.folder).repos
            for revision in repository.revisions
            if any(file.file_name == "README.md" for file in revision.files)
        }
