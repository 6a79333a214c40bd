"""`make app-env`: what is deployed, as a client takes it; remarks stay out of the file."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from client_sites import ALIASES, APPS, KEYS, MODELS
from fake_cluster import cluster, service
from synapse_cli import address
from synapse_cli.app_env import text
from synapse_cli.cluster import Cluster, ClusterError
from synapse_deploy.clients.access import AccessError
from synapse_deploy.clients.every import EVERY

CONFIG = {"models": MODELS, "aliases": ALIASES, "apps": APPS}


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNAPSE_URL", raising=False)


def made(**more: Any) -> Cluster:
    return cluster(CONFIG, KEYS, **more)


def printed(app: str, client: str = "", **more: Any) -> tuple[str, list[str]]:
    remarks: list[str] = []
    return text(made(**more), app, client, remarks.append), remarks


def test_an_env_file_with_all_else_as_comments() -> None:
    told, remarks = printed("open-webui")
    values = [line for line in told.splitlines() if not line.startswith("#")]
    assert [value.partition("=")[0] for value in values] == [
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_API_KEY",
        "OLLAMA_HOST",
        "OLLAMA_API_KEY",
    ]
    assert f"OPENAI_API_KEY={KEYS['open-webui']}" in values
    assert "OLLAMA_HOST=http://forge:8000" in values
    assert "#   chat: chat, code, fast\n#   embedding: embed\n" in told
    assert "# For what its client does in the background there is open-webui-tasks.\n" in told
    assert all(client in told for client in EVERY)
    assert not remarks


def test_a_pod_takes_the_key_from_the_secret() -> None:
    told, _ = printed("plain")
    _, _, after = told.partition("# env:\n")
    lines = [line.removeprefix("# ") for line in after.splitlines() if line.startswith("#   ")]
    address_, key = yaml.safe_load("\n".join(lines))
    assert address_["value"] == "http://gateway.llm-infra.svc:8000/v1"
    assert key["valueFrom"]["secretKeyRef"] == {"name": "gateway-app-keys", "key": "plain"}


@pytest.mark.parametrize("client", EVERY)
def test_a_client_gets_its_settings_and_nothing_else(client: str) -> None:
    told, remarks = printed("open-webui", client)
    assert KEYS["open-webui"] in told
    assert not any(KEYS["open-webui"] in remark for remark in remarks)
    if EVERY[client].format == "json":
        json.loads(told)
        assert remarks == [EVERY[client].remark]


TOLD = {address.URL: "https://told.example"}


def test_open_webui_gets_both_keys() -> None:
    told, _ = printed("open-webui", "open-webui")
    assert f"OPENAI_API_KEYS={KEYS['open-webui']};{KEYS['open-webui-tasks']}\n" in told


@pytest.mark.parametrize(
    ("services", "ingress", "url"),
    [
        ({"gateway": service("LoadBalancer", 8000)}, "", "http://forge:8000"),
        ({"gateway": service("NodePort", 8000, 30080)}, "", "http://forge:30080"),
        ({"gateway": service("NodePort", 8000, 30080, TOLD)}, "a.example", "https://told.example"),
        ({"gateway": service("ClusterIP", 8000)}, "ai.example.org", "https://ai.example.org"),
        ({"gateway": service("LoadBalancer", 8000)}, "ai.example.org", "https://ai.example.org"),
    ],
)
def test_the_address_is_the_one_that_the_site_opens(
    services: dict[str, Any], ingress: str, url: str
) -> None:
    assert address.outside(made(services=services, ingress=ingress)) == url


def test_the_users_own_address_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNAPSE_URL", "http://127.0.0.1:8001/")
    told, remarks = printed("plain")
    assert "OPENAI_BASE_URL=http://127.0.0.1:8001/v1\n" in told
    assert remarks[0].startswith("http://127.0.0.1:8001 leads there from this machine alone.")
    assert remarks[0].endswith(
        "as synapse_gateway_url into platform.yml, then run make deploy-gateway."
    )


def test_home_assistant_is_told_where_the_bridge_listens() -> None:
    services = {"gateway": service("LoadBalancer", 8000), "wyoming": service("LoadBalancer", 10300)}
    told, _ = printed("open-webui", "home-assistant", services=services)
    assert yaml.safe_load(told)["Wyoming Protocol"] == {"Host": "forge", "Port": 10300}


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(AccessError, match=r"did you mean \"codex\"\? There are: claude"):
        printed("plain", "codexx")
    with pytest.raises(AccessError, match='There is no application "nobody"; there are: all, '):
        printed("nobody")
    with pytest.raises(ClusterError, match="ClusterIP without an Ingress"):
        printed("plain", services={"gateway": service("ClusterIP", 8000)})
    with pytest.raises(ClusterError, match="no application plain"):
        text(cluster(CONFIG, {}), "plain", "", print)
