"""The arbiter's configuration file and the parts of its objects that follow the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_arbiter.config import ConfigError, parse
from synapse_deploy.catalogue.resolve import resolve, resolve_apps
from synapse_deploy.render import arbiter as objects
from synapse_deploy.render import arbiter_config

ROOT = Path(__file__).parents[3]
SITES = [
    *sorted((ROOT / "inventory/examples").glob("*/group_vars/all")),
    ROOT / "molecule/testbed/inventory/group_vars/all",
    ROOT / "tests/fixtures/site.yml",
    *sorted((ROOT / "tests/fixtures/catalogue/valid").glob("*.yml")),
]
ENGINES = {"app.kubernetes.io/name": "vllm"}
SETTINGS: dict[str, Any] = {
    "namespace": "llm-infra",
    "vram_source": "nvml",
    "default_model": None,
    "rules": {},
    "limits": {"stop_s": 30},
}


def model(name: str, **more: Any) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    return {"name": name, "kind": "chat", "vram_gib": 20, "engine_args": {}, **more}


def config(*models: dict[str, Any], **settings: Any) -> dict[str, Any]:
    apps: list[dict[str, Any]] = [
        {"name": "panel", "max_wait_s": 0.3},
        {"name": "agents", "max_wait_s": None},
    ]
    gpu = {"vram_gib": 32, "sleeping_gib": 1.5}
    return arbiter_config.config(models, gpu, apps, {**SETTINGS, **settings})


def test_the_arbiter_is_told_what_the_catalogue_says() -> None:
    told = parse(config(model("chat"), model("code", engine_args={"max-num-seqs": 4})))
    assert [(one.url, one.concurrency) for one in told.models] == [
        ("http://vllm-chat:8000", 16),
        ("http://vllm-code:8000", 4),
    ]
    assert told.waits_s == {"panel": 0.3}
    assert (told.host, told.hosts) == ("0.0.0.0", ("arbiter",))
    assert dict(told.ports) == {"inference": 8080, "boot": 8081, "operator": 8082, "metrics": 9090}
    assert (told.gpu.vram_gib, told.gpu.vram_source) == (32, "nvml")
    assert (told.recycle.how, told.recycle.namespace) == ("kubernetes", "llm-infra")
    assert told.admin_token_file == "/run/synapse-admin/token"
    assert told.boot_secret_file == "/run/synapse-boot/secret"


def test_another_argument_of_a_model_changes_nothing() -> None:
    other = model("chat", engine_args={"max-model-len": 4096}, source="another", fallbacks=["x"])
    assert config(other) == config(model("chat"))


@pytest.mark.parametrize("path", SITES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_catalogue_of_the_project_makes_a_good_configuration(path: Path) -> None:
    files = path.glob("*.yml") if path.is_dir() else [path]
    site = {key: value for file in files for key, value in yaml.safe_load(file.read_text()).items()}
    gpus = site.get("synapse_gpus", [])
    models = [one for one in resolve(site["synapse_models"], gpus) if one["engine"] == "vllm"]
    apps = resolve_apps(site.get("synapse_apps", []))
    if models:
        parse(arbiter_config.config(models, gpus[0], apps, SETTINGS))


def test_what_the_operator_sets_is_passed_on() -> None:
    told = parse(
        config(
            model("chat"),
            default_model="chat",
            rules={"quantum_s": 20},
            limits={"stop_s": 30, "drain_s": 9},
            vram_source="http://dcgm:9400/metrics",
        )
    )
    assert (told.default_model, told.rules.quantum_s, told.limits.drain_s) == ("chat", 20, 9)
    assert told.gpu.vram_source == "http://dcgm:9400/metrics"


def test_a_configuration_the_arbiter_would_refuse_is_a_fault() -> None:
    with pytest.raises(ConfigError, match='default_model "cat" is no model'):
        parse(config(model("chat"), default_model="cat"))


def test_exactly_the_engines_own_pods_may_be_replaced() -> None:
    assert arbiter_config.pods([model("chat"), model("code")]) == ["vllm-chat-0", "vllm-code-0"]


def test_clients_engines_and_metrics_readers_come_in_by_their_own_ports() -> None:
    readers = [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]
    rules = objects.ingress([{"app": "gateway"}], ENGINES, readers)
    opened = [(rule["from"], [port["port"] for port in rule["ports"]]) for rule in rules]
    assert opened == [
        ([{"podSelector": {"matchLabels": {"app": "gateway"}}}], [8080]),
        ([{"podSelector": {"matchLabels": ENGINES}}], [8081]),
        (readers, [9090]),
    ]


def test_a_port_that_nobody_is_named_for_is_open_to_nobody() -> None:
    """A rule without peers would be open to everybody."""
    assert [rule["ports"][0]["port"] for rule in objects.ingress([], ENGINES, [])] == [8081]


def test_the_cluster_makes_up_both_secrets() -> None:
    assert [secret["name"] for secret in objects.secrets()] == [
        "arbiter-admin-token",
        "arbiter-boot-secret",
    ]


@pytest.mark.parametrize(
    ("source", "ports"),
    [
        ("nvml", []),
        ("none", []),
        ("http://dcgm.monitoring.svc:9400/metrics", [None]),
        ("http://192.168.1.5/metrics", [80]),
    ],
)
def test_the_way_out_leads_to_engines_cluster_and_gauge(
    source: str, ports: list[int | None]
) -> None:
    api = [{"address": "192.168.1.10", "port": 6443}]
    engines, server, *gauge = objects.egress(ENGINES, source, api, "llm-infra")
    assert engines["to"] == [{"podSelector": {"matchLabels": ENGINES}}]
    assert [port["port"] for port in engines["ports"]] == [8000]
    assert server["to"] == [{"ipBlock": {"cidr": "192.168.1.10/32"}}]
    assert [rule.get("ports", [{"port": None}])[0]["port"] for rule in gauge] == ports


@pytest.mark.parametrize(("source", "shown"), [("nvml", True), ("none", False)])
def test_the_gpu_is_shown_where_its_memory_is_read(source: str, shown: bool) -> None:
    names = {entry["name"] for entry in objects.environment(source, {})}
    assert ("NVIDIA_VISIBLE_DEVICES" in names) is shown


@pytest.mark.parametrize(
    ("gpu", "shown"), [({}, "all"), ({"uuid": None}, "all"), ({"uuid": "GPU-1"}, "GPU-1")]
)
def test_only_the_gpu_that_the_site_names_is_measured(gpu: dict[str, Any], shown: str) -> None:
    values = {entry["name"]: entry["value"] for entry in objects.environment("nvml", gpu)}
    assert values["NVIDIA_VISIBLE_DEVICES"] == shown
