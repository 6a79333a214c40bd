"""What the testbed is made of: every artefact, and the images that are put together from them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from synapse_testbed import bridge, debian, gpu, models, programs, python, speech
from synapse_testbed.cache import Cache, Recipe
from synapse_testbed.oci import Image, write_layer

HERE = Path(__file__).parent.parent
NODE_FILES = HERE / "node"
NOBODY = "65534:65534"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Built:
    """Everything a testbed needs, ready on this host's disk."""

    node: Image
    pods: tuple[Image, ...]
    models: tuple[Path, ...]


def build_all(cache: Cache) -> Built:
    """Build what the cache lacks: two workers compile, a third one downloads."""

    def tools() -> Path:
        return cache.obtain(python.root())

    compiled = [programs.kubernetes()]
    # C++ is compiled one file at a time: alone it would leave a core idle for minutes.
    slowly_compiled = [programs.ollama(), models.bigrams()]
    fetched = [
        debian.root_filesystem("debian-node", debian.NODE_PACKAGES),
        debian.root_filesystem("debian-base", debian.BASE_PACKAGES),
        programs.litellm(tools),
        models.embedding(),
        models.chat(),
        programs.pause(),
        gpu.nvml(),
        gpu.engine(),
        speech.libraries(tools),
        speech.models(),
        speech.simulator(),
        bridge.libraries(),
        _node_files(),
    ]

    def obtain(recipes: list[Recipe]) -> dict[str, Path]:
        return {recipe.name: cache.obtain(recipe) for recipe in recipes}

    with ThreadPoolExecutor(max_workers=3) as workers:
        made = list(workers.map(obtain, [compiled, slowly_compiled, fetched]))
    return _assemble(made[0] | made[1] | made[2])


def _node_files() -> Recipe:
    files = {
        str(path.relative_to(NODE_FILES)): path.read_text()
        for path in sorted(NODE_FILES.rglob("*"))
        if path.is_file()
    }

    def build(folder: Path) -> None:
        roots = [(path, path.name) for path in sorted(NODE_FILES.iterdir())]
        write_layer(folder / "layer.tar", roots)

    return Recipe("node-files", files, build)


def _assemble(folders: dict[str, Path]) -> Built:
    layers = {name: folder / "layer.tar" for name, folder in folders.items()}
    layers["coredns"] = folders["kubernetes"] / "coredns.tar"

    def image(name: str, *parts: str, **config: object) -> Image:
        reference = f"localhost/synapse/{name}:dev"
        return Image(reference, tuple(layers[part] for part in parts), {"Env": [PATH]} | config)

    return Built(
        node=image("node", "debian-node", "kubernetes", "nvml", "node-files", Cmd=["/sbin/init"]),
        pods=(
            image("pause", "pause", Entrypoint=["/pause"]),
            image("coredns", "coredns", Entrypoint=["/usr/bin/coredns"]),
            image(
                "ollama",
                "debian-base",
                "ollama",
                Env=[PATH, "OLLAMA_HOST=0.0.0.0:11434"],
                Entrypoint=["/bin/ollama"],
                Cmd=["serve"],
            ),
            image(
                "litellm",
                "debian-base",
                "litellm",
                Env=[PATH, "HOME=/app", "LITELLM_NON_ROOT=true", "PYTHONDONTWRITEBYTECODE=1"],
                Entrypoint=["python", "-m", "litellm.proxy.proxy_cli"],
                User=NOBODY,
                WorkingDir="/app",
            ),
            image(
                "vllm-simulator",
                "debian-base",
                "litellm",
                "vllm-simulator",
                Env=[PATH, *gpu.ENGINE_ENVIRONMENT],
                User="2000:2000",
            ),
            image(
                "speech",
                "debian-base",
                "speech-libraries",
                "speech-models",
                "speech-simulator",
                Env=[PATH, "PYTHONDONTWRITEBYTECODE=1"],
                Cmd=["python", "-m", "speaches_simulator"],
                User="1000:1000",
            ),
            image(
                "wyoming-bridge",
                "debian-base",
                "wyoming-bridge",
                Env=[PATH, "PYTHONDONTWRITEBYTECODE=1"],
                Cmd=["python", "-m", "wyoming_openai"],
                User="1000:1000",
            ),
        ),
        models=(
            folders["model-bigrams"] / models.BIGRAMS,
            folders["model-chat"] / models.CHAT,
            folders["model-embedding"] / models.EMBEDDING,
        ),
    )
