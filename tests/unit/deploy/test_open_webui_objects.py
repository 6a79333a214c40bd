"""What the chat page is told, which applications it is, and who may reach whom."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_common.engines import GATEWAY_PORT
from synapse_deploy.catalogue.chat_rules import chat_apps
from synapse_deploy.catalogue.check import problems
from synapse_deploy.catalogue.resolve import resolve, resolve_apps
from synapse_deploy.catalogue.server_rules import needed_gib
from synapse_deploy.render.open_webui import egress, environment, ingress, secrets

ROOT = Path(__file__).parents[3]
URL = "http://gateway:8123"
BIG: dict[str, Any] = {
    "name": "big", "engine": "vllm", "source": "o/big", "vram_gib": 9, "kv_cache_gib": 1,
    "capabilities": ["vision"], "fallbacks": ["small"],
}  # fmt: skip
SMALL: dict[str, Any] = {"name": "small", "engine": "ollama", "source": "qwen3:4b"}
VECTORS: dict[str, Any] = {**SMALL, "name": "vectors", "kind": "embedding"}
HEAR: dict[str, Any] = {"name": "hear", "engine": "speaches", "source": "owner/whisper"}
CLOUD: dict[str, Any] = {
    "name": "cloud", "engine": "openai", "source": "x", "base_url": "https://api.example.com/v1"
}  # fmt: skip
MODELS = resolve([CLOUD, BIG, SMALL, VECTORS, HEAR], [{"vram_gib": 31}])
NAMES = [
    {"name": "chat", "model": "big"},
    {"name": "fast", "model": "small"},
    {"name": "best", "model": "cloud"},
    {"name": "embed", "model": "vectors"},
]
PLAIN: dict[str, Any] = {
    "admin": "admin@localhost", "signup": False, "ingress": None, "service_type": "LoadBalancer",
}  # fmt: skip


def made(names: list[dict[str, Any]], *written: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The applications of a site with the page, by name; those that are written come first."""
    apps = [*written, *chat_apps(MODELS, names, written, wanted=True)]
    return {app["name"]: app for app in resolve_apps(apps)}


def told(apps: dict[str, dict[str, Any]], **settings: Any) -> dict[str, Any]:
    """The variables, those of a Secret by what they refer to."""
    found = environment(MODELS, NAMES, apps.values(), URL, PLAIN | settings)
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in found}


def test_the_menu_has_the_aliases_of_the_house_and_the_tasks_the_fast_one() -> None:
    apps = made(NAMES)
    assert apps["open-webui"]["lists"] == ["chat", "fast"]
    assert apps["open-webui"]["models"] == ["chat", "fast", "embed", "vectors", "hear"]
    assert apps["open-webui"]["person_from"] == "X-OpenWebUI-User-Id"
    assert apps["open-webui-tasks"]["models"] == ["fast"]
    assert apps["open-webui-tasks"]["tasks_of"] == "open-webui"
    assert not any(app["may_leave"] for app in apps.values())


def test_without_aliases_the_menu_has_the_models_and_tasks_go_to_the_cpu() -> None:
    apps = made([])
    assert apps["open-webui"]["lists"] == ["big", "small"]
    assert apps["open-webui-tasks"]["models"] == ["small"]


@pytest.mark.parametrize("name", ["open-webui", "open-webui-tasks"])
def test_an_application_that_the_site_wrote_stays_as_it_is(name: str) -> None:
    written = {"name": name, "models": ["chat"], "lists": ["chat"], "priority": "batch"}
    apps = made(NAMES, written)
    assert set(apps) == {"open-webui", "open-webui-tasks"}
    assert apps[name]["lists"] == ["chat"]
    assert apps[name]["models"] == ["chat"]


def test_tasks_that_the_site_wrote_under_another_name_are_used() -> None:
    written = {"name": "little", "models": ["fast"], "tasks_of": "open-webui"}
    apps = made(NAMES, written)
    assert set(apps) == {"open-webui", "little"}
    assert told(apps)["LITTLE_KEY"] == {
        "secretKeyRef": {"name": "gateway-app-keys", "key": "little"}
    }


def test_a_site_without_the_page_gets_no_application() -> None:
    assert chat_apps(MODELS, NAMES, [], wanted=False) == []


def test_keys_come_first_and_are_referred_to_and_never_written() -> None:
    variables = environment(MODELS, NAMES, made(NAMES).values(), URL, PLAIN)
    names = [one["name"] for one in variables]
    by_name = {one["name"]: one for one in variables}
    assert by_name["OPENAI_API_KEYS"]["value"] == "$(OPEN_WEBUI_KEY);$(OPEN_WEBUI_TASKS_KEY)"
    # Kubernetes puts in only what stands before.
    for key in ("OPEN_WEBUI_KEY", "OPEN_WEBUI_TASKS_KEY"):
        assert names.index(key) < names.index("OPENAI_API_KEYS")
        assert "value" not in by_name[key]
    assert len(names) == len(set(names))


def test_it_asks_the_gateway_alone_and_titles_have_the_second_key() -> None:
    found = told(made(NAMES))
    asked = [value for name, value in found.items() if "BASE_URL" in name]
    assert {url for value in asked for url in value.split(";")} == {f"{URL}/v1"}
    assert found["TASK_MODEL_EXTERNAL"] == "task.fast"
    assert found["AUDIO_STT_MODEL"] == "hear"
    assert found["RAG_EMBEDDING_MODEL"] == "embed"


def test_nobody_makes_himself_an_account_unless_the_site_lets_him_ask() -> None:
    found = told(made(NAMES))
    assert found["ENABLE_SIGNUP"] == "false"
    assert found["WEBUI_ADMIN_EMAIL"] == "admin@localhost"
    password = {"secretKeyRef": {"name": "open-webui", "key": "password"}}
    assert found["WEBUI_ADMIN_PASSWORD"] == password
    assert found["WEBUI_SECRET_KEY"]["secretKeyRef"]["key"] == "signing-key"
    asked = told(made(NAMES), signup=True)
    assert (asked["ENABLE_SIGNUP"], asked["DEFAULT_USER_ROLE"]) == ("true", "pending")
    (made_up,) = secrets()
    assert {one["name"] for one in made_up["keys"]} == {"signing-key", "password"}


@pytest.mark.parametrize(("service_type", "alone"), [("ClusterIP", True), ("LoadBalancer", False)])
def test_behind_an_ingress_alone_its_cookies_are_for_https(service_type: str, alone: bool) -> None:
    host = {"host": "chat.example.org", "tls_secret": "t"}
    found = told(made(NAMES), ingress=host, service_type=service_type)
    assert found["WEBUI_URL"] == "https://chat.example.org"
    assert ("WEBUI_SESSION_COOKIE_SECURE" in found) is alone
    assert ("CORS_ALLOW_ORIGIN" in found) is alone


@pytest.mark.parametrize(("may_leave", "chat"), [(False, "fast"), (True, "chat")])
def test_it_names_nothing_that_its_application_may_not_use(may_leave: bool, chat: str) -> None:
    names = [{"name": "chat", "model": "cloud"}, {"name": "fast", "model": "small"}]
    apps = made(names, {"name": "open-webui", "models": ["*"], "may_leave": may_leave})
    found = environment(MODELS, names, apps.values(), URL, PLAIN)
    assert {"name": "DEFAULT_MODELS", "value": chat} in found
    assert any("cloud" in str(one) for one in found) is may_leave


@pytest.mark.parametrize(
    ("models", "task"),
    [(["chat"], "chat"), (["big", "small"], "small"), (["*"], "fast"), (["best"], None)],
)
def test_tasks_ask_for_a_name_of_the_sites_own_application(
    models: list[str], task: str | None
) -> None:
    apps = made(NAMES, {"name": "open-webui", "models": models, "may_leave": True})
    assert apps.get("open-webui-tasks", {"models": [None]})["models"] == [task]
    assert ("OPEN_WEBUI_TASKS_KEY" in told(apps)) is (task is not None)


@pytest.mark.parametrize(
    ("own", "is_good"),
    [
        ({"models": ["embed"]}, False),
        ({"models": ["embed", "best"]}, False),
        ({"models": ["embed", "best"], "may_leave": True}, True),
        ({"models": ["embed", "chat"]}, True),
        ({"models": ["*"]}, True),
    ],
)
def test_an_application_of_the_site_that_may_not_chat_is_a_fault(
    own: dict[str, Any], is_good: bool
) -> None:
    defaults = yaml.safe_load((ROOT / "group_vars/all/defaults.yml").read_text())
    site = {
        "chat_enabled": True,
        "synapse_models": [CLOUD, SMALL, VECTORS],
        "synapse_aliases": [{**one, "model": "small"} if one["model"] == "big" else one
                            for one in NAMES],
        "synapse_apps": [{"name": "open-webui", **own}],
    }  # fmt: skip
    found = [one.text for one in problems({**defaults, **site})]
    assert any("no name of kind chat" in text for text in found) is not is_good
    assert not is_good or not found


def test_anybody_comes_in_and_the_gateway_is_all_that_is_reached() -> None:
    assert ingress() == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    labels = {"app.kubernetes.io/name": "gateway"}
    (rule,) = egress(labels)
    assert rule["to"] == [{"podSelector": {"matchLabels": labels}}]
    settings = yaml.safe_load((ROOT / "roles/gateway/vars/main.yml").read_text())
    assert settings["__gateway_settings"]["port"] == GATEWAY_PORT


def test_its_memory_counts() -> None:
    site = {"synapse_models": [SMALL]}
    more = needed_gib(site | {"chat_enabled": True, "chat_memory_gib": 3}) - needed_gib(site)
    assert more == 3
    assert needed_gib(site | {"chat_enabled": False}) == needed_gib(site)


def test_a_site_of_cloud_models_alone_writes_the_application_itself() -> None:
    site = {"synapse_models": [CLOUD], "synapse_aliases": [], "chat_enabled": True}
    defaults = yaml.safe_load((ROOT / "group_vars/all/defaults.yml").read_text())
    written = [{"name": "open-webui", "models": ["cloud"], "may_leave": True}]
    assert problems({**defaults, **site, "synapse_apps": written}) == []
    assert len(problems({**defaults, **site, "synapse_apps": []})) == 1
