"""One real Open WebUI for all cases, before the deployed demo or before simulated engines."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from real_open_webui import installation
from real_open_webui.page import PASSWORD, Page, as_in_a_pod, opened
from real_open_webui.sites import FEW, Since, Site, deployed, simulated
from synapse_common.secrets import (
    CHAT_ENTRY,
    CHAT_PASSWORD_ENTRY,
    CHAT_SIGNING_ENTRY,
    CHAT_TASKS_ENTRY,
)
from synapse_deploy.render.open_webui import environment

CASE_LIMIT_S = 300
SETTINGS = {
    "admin": "admin@localhost", "signup": False, "ingress": None, "service_type": "ClusterIP"
}  # fmt: skip
PREFIX = "few"
"""Before the names of the connection with the key of an application that may do little."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take what stands behind the gateway, and the file for what was measured."""
    text = "deployed, the demo on this machine; or simulated, processes of their own"
    parser.addoption("--engines", choices=("deployed", "simulated"), default="deployed", help=text)
    parser.addoption("--measured", type=Path, help="write what was measured as a Markdown list")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Its installation and its start are part of the first case."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(CASE_LIMIT_S))


@pytest.fixture(scope="session")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The gateway that the page asks."""
    if request.config.getoption("--engines") == "deployed":
        yield deployed()
        return
    with simulated(tmp_path_factory.mktemp("site")) as started:
        yield started


@pytest.fixture(scope="session")
def page(
    request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The page as its role sets it up, and one connection more, of an application with limits."""
    known = site.catalogue
    secrets = {app: site.key(app) for app in (CHAT_ENTRY, CHAT_TASKS_ENTRY)}
    secrets |= {CHAT_SIGNING_ENTRY: "0123456789abcdef" * 3, CHAT_PASSWORD_ENTRY: PASSWORD}
    told = environment(known.models, known.names, known.apps, site.url, SETTINGS)
    variables = as_in_a_pod(told, secrets)
    configs = json.loads(variables["OPENAI_API_CONFIGS"])
    configs["2"] = {"enable": True, "prefix_id": PREFIX, "model_ids": ["fast", known.gpu]}
    variables["OPENAI_API_CONFIGS"] = json.dumps(configs)
    variables["OPENAI_API_BASE_URLS"] += f";{site.url}/v1"
    variables["OPENAI_API_KEYS"] += f";{site.key(FEW)}"
    with opened(tmp_path_factory.mktemp("open-webui"), variables) as running:
        yield running
        if file := request.config.getoption("--measured"):
            file.write_text(measured(running))


@pytest.fixture
def since(site: Site) -> Since:
    """What the gateway logs from here on."""
    return Since(site)


def measured(page: Page) -> str:
    """Say what it took."""
    return (
        f"Open WebUI {installation.version()}, {time.strftime('%Y-%m-%d')}:\n\n"
        f"- {installation.packages()} packages, installed in {installation.took_s()} s\n"
        f"- started in {page.started_s:.0f} s\n"
        f"- {page.memory_mib()} MiB of memory after all cases\n"
    )
