"""The programs of the testbed, each built from its published source into one image layer."""

import re
import shutil
import tarfile
from collections.abc import Callable, Mapping
from inspect import getsource
from pathlib import Path

from synapse_testbed import downloads, go, python
from synapse_testbed.cache import Recipe
from synapse_testbed.commands import TestbedError, run
from synapse_testbed.oci import write_layer

HERE = Path(__file__).parent.parent
REQUIREMENTS = HERE / "litellm-requirements.txt"
PAUSE = HERE / "images" / "pause" / "pause.c"
COREDNS = HERE / "go" / "kubernetes" / "coredns" / "main.go"
# Big, and only for what is never switched on here: another web server, a profiler, data exports.
UNUSED = ("granian", "hf-xet", "polars", "polars-runtime-32", "pyroscope-io")
STATIC = {"CGO_ENABLED": "0"}
CPU_INFO = Path("/proc/cpuinfo")
# What Ollama computes with where the processor has it all: twice the words a second.
FAST = ("avx2", "fma", "f16c", "bmi2")


def kubernetes() -> Recipe:
    """Kubernetes' own programs and etcd for a node, and CoreDNS for an image of its own."""
    pins = go.pins("kubernetes") | {"coredns": COREDNS.read_text()}
    version = _required("k8s.io/kubernetes", pins["go.mod"])
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    variables = [f"-X k8s.io/component-base/version.{name}={text}" for name, text in stamps.items()]
    flags = " ".join(["-s -w", *variables])

    def build(folder: Path) -> None:
        programs = _place(folder, "usr/local/bin")
        go.install_tools("kubernetes", programs, flags=flags, env=STATIC)
        (programs / "server").rename(programs / "etcd")
        write_layer(folder / "coredns.tar", [(programs / "coredns", "usr/bin/coredns")])
        (programs / "coredns").unlink()
        _pack(folder)

    return Recipe(
        "kubernetes",
        pins | {"flags": flags, "recipe": getsource(build)},
        build,
        limit_s=go.BUILD_LIMIT_S,
    )


def ollama() -> Recipe:
    """Ollama with its own inference engine, for a processor like this machine's."""
    compiling = for_processor(CPU_INFO.read_text())
    pins = go.pins("ollama")
    version = _required("github.com/ollama/ollama", pins["go.mod"]).removeprefix("v")
    flags = f"-s -w -X github.com/ollama/ollama/version.Version={version}"

    def build(folder: Path) -> None:
        # The module lost this third-party header, as Go modules do; a Python package carries it.
        sources = folder / "sources"
        with tarfile.open(downloads.fetch("miniaudio", sources)) as archive:
            archive.extractall(sources, filter="data")
        headers = next(sources.glob("*/miniaudio/miniaudio.h")).parent.parent
        env = {"CGO_ENABLED": "1", "CPLUS_INCLUDE_PATH": str(headers)}
        env |= {"CGO_CFLAGS": compiling, "CGO_CXXFLAGS": compiling}
        go.install_tools("ollama", _place(folder, "usr/bin"), flags=flags, env=env)
        shutil.rmtree(sources)
        _pack(folder)

    inputs = pins | {"flags": flags, "recipe": getsource(build), "compiling": compiling}
    inputs["miniaudio"] = downloads.pin("miniaudio")
    return Recipe("ollama", inputs, build, limit_s=go.BUILD_LIMIT_S)


def for_processor(told: str) -> str:
    """Return the C compiler's flags for the processor that /proc/cpuinfo tells of."""
    has = {flag for line in told.splitlines() if line.startswith("flags") for flag in line.split()}
    fast = [f"-m{flag}" for flag in FAST] if has.issuperset(FAST) else []
    return " ".join(["-O3", *fast])


def pause() -> Recipe:
    """The process that holds a pod's namespaces open."""

    def build(folder: Path) -> None:
        program = _place(folder, ".") / "pause"
        run(["gcc", "-static", "-Os", "-s", "-o", str(program), str(PAUSE)], limit_s=60)
        _pack(folder)

    return Recipe("pause", {"pause.c": PAUSE.read_text(), "recipe": getsource(build)}, build)


def litellm(tools: Callable[[], Path]) -> Recipe:
    """LiteLLM and all it needs, compiled, where Debian's Python finds it."""
    requirements = without(REQUIREMENTS.read_text(), UNUSED)

    def build(folder: Path) -> None:
        _place(folder, "app")
        (_place(folder, "usr/local/bin") / "python").symlink_to("/usr/bin/python3")
        packages = _place(folder, python.PACKAGES)
        python.install(requirements, packages)
        python.compile_packages(tools(), packages)
        _pack(folder)

    inputs = {"requirements": requirements, "recipe": getsource(build)}
    inputs["way"] = python.way_to_install()
    return Recipe("litellm", inputs, build)


def as_they_are(name: str, files: Mapping[str, Path]) -> Recipe:
    """Files of this repository, each at its place in an image."""

    def build(folder: Path) -> None:
        write_layer(folder / "layer.tar", [(path, place) for place, path in files.items()])

    inputs = {place: path.read_text() for place, path in files.items()}
    return Recipe(name, inputs | {"recipe": getsource(build)}, build)


def without(requirements: str, packages: tuple[str, ...]) -> str:
    """Return pinned requirements less some packages, each with the lines of hashes below it."""
    entries = re.split(r"^(?=\S)", requirements, flags=re.MULTILINE)
    return "".join(entry for entry in entries if entry.partition("==")[0] not in packages)


def _required(module: str, go_mod: str) -> str:
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if not found:
        raise TestbedError(f"go.mod requires no version of {module}")
    return found[1]


def _place(folder: Path, inside: str) -> Path:
    place = folder / "root" / inside
    place.mkdir(parents=True, exist_ok=True)
    return place


def _pack(folder: Path) -> None:
    root = folder / "root"
    write_layer(folder / "layer.tar", [(path, path.name) for path in sorted(root.iterdir())])
    shutil.rmtree(root)
