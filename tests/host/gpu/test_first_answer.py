"""README's three commands on a bare server with a simulated GPU: the CPU and the GPU answer.

Everything is fetched: K3s' release, NVIDIA's packages from signed repositories, the images.
"""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from typing import Any

import httpx
import pytest

from host_lab import artefacts, k3s, lab, registry
from host_lab.own_site import MODELS, OwnSite, checkout
from host_lab.server import Server
from host_lab_gpu import machine, plugin
from host_lab_gpu.published import Published
from host_lab_gpu.states import STATES
from synapse_testbed import debian
from synapse_testbed.cache import Cache
from synapse_testbed.commands import as_root
from synapse_testbed.images import build_all
from synapse_testbed.podman import PODMAN, feed

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]
NAME = f"{os.environ.get('SYNAPSE_HOST') or 'host-test'}-first"
QUESTION = {"role": "user", "content": "What is the capital of France?"}
GPU_LIMIT_S = 300
# Of the simulated GPU's 31.8 GiB the model takes 24.
AWAKE_MIB = 20_000
POLL_S = 2


@pytest.fixture(scope="module")
def site(
    repositories: tuple[Published, str], cache: Cache, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnSite]:
    """A site from README's first command; its server has a GPU and models, and nothing else."""
    built = build_all(cache)
    base = cache.obtain(debian.root_filesystem("debian-base", debian.BASE_PACKAGES))
    images = (*built.pods, plugin.image(base, cache.obtain(plugin.program())))
    published, packages = repositories
    releases = artefacts.serving({k3s.version(): k3s.release(cache)})
    server = lab.create(NAME)
    made = checkout(tmp_path_factory.mktemp("checkout"), NAME, server)
    try:
        machine.prepare(server)
        machine.plug_in(server, STATES["nouveau"])
        place_models(server, built.models)
        said = made.make("init", f"SITE={NAME}", f"HOST={lab.ADMIN}@{server.address()}")
        print(said)
        with releases as served, registry.serving(images) as mirror:
            made.say(
                {
                    "k3s_download_url": served.url(),
                    "k3s_registries": {"mirrors": {"localhost": {"endpoint": [mirror]}}},
                    "device_plugin_image": plugin.REFERENCE,
                    "device_plugin_check_image": "localhost/synapse/litellm:dev",
                    **published.variables(packages),
                }
            )
            yield made
    finally:
        made.kubeconfig.unlink(missing_ok=True)
        lab.destroy(NAME)


def place_models(server: Server, models: tuple[Path, ...]) -> None:
    """Lay the model files where the site says that they are."""
    server.shell(f"mkdir -p {MODELS}")
    for model in models:
        put = ["exec", "--interactive", server.name, "sh", "-c", f"cat > {MODELS}/{model.name}"]
        with model.open("rb") as file:
            feed(as_root(*PODMAN, *put), partial(copyfileobj, file))


@pytest.fixture(scope="module")
def deployed(site: OwnSite) -> str:
    """What README's second command said."""
    with machine.coming_back(site.server):
        said = site.make("site", answers="y\ny\n")
    print(said)
    return said


@pytest.fixture(scope="module")
def client(site: OwnSite, deployed: str) -> Iterator[httpx.Client]:
    """A client with the settings of README's third command."""
    lines = [line.split("=", 1) for line in site.make("app-env", "APP=jarvis-cortex").splitlines()]
    told = {line[0].removeprefix("export "): line[1].strip("\"'") for line in lines if line[1:]}
    headers = {"Authorization": f"Bearer {told['OPENAI_API_KEY']}"}
    address = told["OPENAI_BASE_URL"]
    assert address == f"http://{site.server.address()}:8000/v1"
    with httpx.Client(base_url=address, headers=headers, timeout=120, trust_env=False) as made:
        yield made


def ask(client: httpx.Client, model: str) -> httpx.Response:
    question: dict[str, Any] = {"model": model, "temperature": 0, "messages": [QUESTION]}
    return client.post("chat/completions", json=question)


def test_the_last_phase_is_reached_and_nothing_is_done_unasked(deployed: str) -> None:
    assert "Install NVIDIA's driver and container toolkit on the server? [y/N]" in deployed
    assert "Reboot the server now, so that the driver is used? [y/N]" in deployed
    assert "All phases took" in deployed
    assert " answered after " in deployed


def test_the_cpu_answers(client: httpx.Client) -> None:
    answer = ask(client, "chat")

    assert answer.status_code == 200, answer.text
    assert "Paris" in answer.json()["choices"][0]["message"]["content"]
    assert answer.headers["x-synapse-model"] == "smollm2"


def test_the_gpu_answers(site: OwnSite, client: httpx.Client) -> None:
    deadline = time.monotonic() + GPU_LIMIT_S
    while (answer := ask(client, "assistant")).headers.get("x-synapse-model") != "gpu-chat":
        assert time.monotonic() < deadline, f"{answer.status_code}: {answer.text}"
        time.sleep(POLL_S)

    assert answer.status_code == 200, answer.text
    used = site.server.shell("nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits")
    assert int(used) > AWAKE_MIB


def test_a_second_run_finds_nothing_to_do_on_the_server(site: OwnSite, deployed: str) -> None:
    said = site.make("site", "YES=1", "FROM=cluster")

    assert "sets up Kubernetes: nothing to do" in said
    assert "sets up the GPU: nothing to do" in said
