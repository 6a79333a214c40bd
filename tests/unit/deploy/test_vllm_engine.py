"""What the catalogue says about a model arrives at its engine, and nothing else does."""

import math
import shlex
from typing import Any

import pytest
from pydantic import ValidationError

from synapse_arbiter.config import Limits
from synapse_deploy.catalogue.resolve import resolve
from synapse_deploy.catalogue.vllm_rules import OWN_OPTIONS, OWN_VARIABLES
from synapse_deploy.render.code import code
from synapse_deploy.render.network import downloads
from synapse_deploy.render.vllm import (
    command,
    egress,
    engines,
    environment,
    ingress,
    probe,
    resources,
    secret,
    silences,
)
from synapse_gateway.bounds import Bounds

GPU = {"vram_gib": 31.4}
SETTINGS: dict[str, Any] = {
    "lease_url": "http://arbiter:8081",
    "offline": False,
    "media_domains": [],
    "token_secret": "huggingface-token",
    "download_without": ["original/*"],
    "prepare_limit_s": 7200,
    "overhead_gib": 10.0,
    "memory_request_gib": None,
    "cpu_request": 1,
    "cpu_cores": 8,
}
OFFLINE = SETTINGS | {"offline": True}
PICTURES = SETTINGS | {"media_domains": ["images.example.org", "b.example.org"]}
ARBITER = {"app.kubernetes.io/name": "synapse-arbiter"}


def model(**keys: Any) -> dict[str, Any]:
    written = {"name": "big", "engine": "vllm", "source": "owner/big", "vram_gib": 22}
    (entry,) = resolve([{**written, "kv_cache_gib": 4, **keys}], [GPU])
    return entry


def server(entry: dict[str, Any], settings: dict[str, Any] = SETTINGS) -> list[str]:
    words = command(entry, GPU, settings)
    return words[words.index("--") + 1 :]


def wrapper(entry: dict[str, Any], settings: dict[str, Any] = SETTINGS) -> list[str]:
    words = command(entry, GPU, settings)
    return words[: words.index("--")]


def value_of(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def variables(entry: dict[str, Any], settings: dict[str, Any] = SETTINGS) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in environment(entry, settings)}


def test_an_engine_can_sleep_and_has_a_cache_of_fixed_size() -> None:
    words = server(model())
    assert words[:3] == ["vllm", "serve", "owner/big"]
    assert {"--enable-sleep-mode", "--served-model-name=big", "--port=8000"} <= set(words)
    assert f"--kv-cache-memory-bytes={4 * 1024**3}" in words
    assert variables(model())["VLLM_SERVER_DEV_MODE"] == "1"


@pytest.mark.parametrize(
    ("vram_gib", "share"), [(22, "0.7"), (27.5, "0.87"), (28, "0.89"), (31.4, "1.0"), (0.5, "0.01")]
)
def test_the_share_of_the_gpu_never_exceeds_what_the_model_takes(
    vram_gib: float, share: str
) -> None:
    assert f"--gpu-memory-utilization={share}" in server(model(vram_gib=vram_gib))
    assert float(share) * 31.4 <= vram_gib + 1e-9


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, ["--some-option"]),
        ("fp8", ["--some-option=fp8"]),
        (4, ["--some-option=4"]),
        ("-1", ["--some-option=-1"]),
        (["a", "b"], ["--some-option", "a", "b"]),
        ({"method": "ngram"}, ['--some-option={"method": "ngram"}']),
    ],
)
def test_options_of_the_catalogue_are_passed_on(value: Any, words: list[str]) -> None:
    plain, more = server(model()), server(model(engine_args={"some-option": value}))
    assert more == [*plain, *words]


def test_every_wait_at_an_engines_end_is_shorter_than_the_one_around_it() -> None:
    """Answers may run on, then the wrapper kills the rest, then the kubelet, and all is gone."""
    shutdown = next(word for word in server(model()) if word.startswith("--shutdown-timeout="))
    (engine,) = engines([model()], GPU, SETTINGS)
    waits_s = [
        int(shutdown.partition("=")[2]),
        int(value_of(wrapper(model()), "--kill-after-s")),
        engine["grace_s"],
        Limits().recycle_s,
    ]
    assert waits_s == sorted(set(waits_s))


@pytest.mark.parametrize("limits", [{}, {"first_sleep_s": 400}, {"wake_s": 500, "stop_s": 9}])
def test_no_sleep_or_wake_that_the_arbiter_allows_is_taken_for_a_death(
    limits: dict[str, float],
) -> None:
    allowed = Limits(**limits)  # type: ignore[arg-type]
    longest_s = max(allowed.first_sleep_s, allowed.wake_s, allowed.sleep_s)
    assert (silences(limits, 30) - 1) * 30 > longest_s
    assert silences(limits, 30) * 30 < longest_s + 120


def test_the_catalogue_wins_where_it_may() -> None:
    words = server(model(engine_args={"max-num-seqs": 4, "gpu-memory-utilization": 0.9}))
    assert "--max-num-seqs=4" in words
    assert "--gpu-memory-utilization=0.9" in words
    assert len([word for word in words if word.startswith("--max-num-seqs")]) == 1
    assert "--max-num-seqs=16" in server(model())


def test_everything_set_here_is_refused_in_the_catalogue() -> None:
    entry = model(context=8192, kind="embedding")
    words = [*server(entry), *server(model(), PICTURES)]
    names = {word[2:].partition("=")[0] for word in words if word.startswith("--")}
    assert names - {"max-num-seqs", "gpu-memory-utilization"} <= OWN_OPTIONS.keys()
    free = {
        "HF_HUB_DISABLE_PROGRESS_BARS", "VLLM_HAS_FLASHINFER_CUBIN", "VLLM_MAX_STOP_STRINGS",
        "VLLM_MEDIA_URL_ALLOW_REDIRECTS",
    }  # fmt: skip
    assert variables(entry, OFFLINE).keys() - free <= OWN_VARIABLES


def test_an_engine_takes_as_many_stops_as_the_gateway_lets_pass() -> None:
    name = "VLLM_MAX_STOP_STRINGS"
    assert variables(model())[name] == "64"
    Bounds.model_validate({"stop": ["x"] * 64})
    with pytest.raises(ValidationError):
        Bounds.model_validate({"stop": ["x"] * 65})
    assert variables(model(environment={name: 4}))[name] == "4"


def test_a_chat_model_fetches_pictures_from_hosts_that_are_named() -> None:
    words = server(model(), PICTURES)
    at = words.index("--allowed-media-domains")
    assert words[at + 1 : at + 3] == PICTURES["media_domains"]
    for other in (server(model()), server(model(kind="embedding"), PICTURES)):
        assert "--allowed-media-domains" not in other
    assert variables(model(), PICTURES)["VLLM_MEDIA_URL_ALLOW_REDIRECTS"] == "0"
    opened = egress(ARBITER, "http://arbiter:8081", False, [], PICTURES["media_domains"])[1:]
    assert opened == downloads([80, 443], [])


@pytest.mark.parametrize(
    ("kind", "runner"),
    [("chat", None), ("embedding", "--runner=pooling"), ("rerank", "--runner=pooling")],
)
def test_vectors_and_scores_come_from_a_pooling_engine(kind: str, runner: str | None) -> None:
    found = [word for word in server(model(kind=kind)) if word.startswith("--runner")]
    assert found == ([runner] if runner else [])


def test_the_context_is_the_engines_own_unless_given() -> None:
    assert "--max-model-len=8192" in server(model(context=8192))
    assert not [word for word in server(model()) if word.startswith("--max-model-len")]


def test_a_model_is_downloaded_before_the_gpu_is_asked_for() -> None:
    words = wrapper(model(disk_gib=17, engine_args={"revision": "abc"}))
    download = shlex.split(value_of(words, "--prepare"))
    assert download == [
        "hf", "download", "owner/big", "--revision", "abc", "--exclude", "original/*"
    ]  # fmt: skip
    assert value_of(words, "--needs-gib") == "17"
    home = variables(model())["HF_HOME"]
    assert value_of(words, "--watch") == f"{home}/hub/models--owner--big"
    assert "--needs-gib" not in wrapper(model())


def test_offline_nothing_is_downloaded_and_no_road_leads_out() -> None:
    assert "--prepare" not in wrapper(model(), OFFLINE)
    assert variables(model(), OFFLINE)["HF_HUB_OFFLINE"] == "1"
    assert variables(model(), OFFLINE)["VLLM_HAS_FLASHINFER_CUBIN"] == "1"
    assert not {"HF_HUB_OFFLINE", "VLLM_HAS_FLASHINFER_CUBIN"} & variables(model()).keys()
    own = model(environment={"VLLM_HAS_FLASHINFER_CUBIN": 0})  # an image of one's own has none
    assert variables(own, OFFLINE)["VLLM_HAS_FLASHINFER_CUBIN"] == "0"
    mirror = [{"address": "192.168.1.20", "port": 443}]
    (rule,) = egress(ARBITER, "http://arbiter:8081", True, mirror, ["a.example"])
    assert rule["ports"] == [{"protocol": "TCP", "port": 8081}]
    assert egress(ARBITER, "http://x:1", False, mirror, [])[1:] == downloads([443], mirror)


def test_every_cache_is_kept_on_the_volume() -> None:
    found = variables(model())
    for name in ("HOME", "HF_HOME", "VLLM_CACHE_ROOT", "TORCHINDUCTOR_CACHE_DIR"):
        assert found[name].startswith("/models"), name


def test_variables_of_the_catalogue_are_texts() -> None:
    assert variables(model(environment={"VLLM_USE_X": 1}))["VLLM_USE_X"] == "1"


def test_a_missing_token_keeps_nobody_from_starting() -> None:
    (token,) = [one for one in environment(model(), SETTINGS) if one["name"] == "HF_TOKEN"]
    reference = {"name": "huggingface-token", "key": "token", "optional": True}
    assert token["valueFrom"] == {"secretKeyRef": reference}


def test_memory_holds_the_weights_of_a_sleeper_and_more() -> None:
    found = resources(model(), SETTINGS)
    copies = 2 * (22 - 4)  # torch rounds each block up to a power of two
    assert found["limits"]["memory"] == found["requests"]["memory"] == f"{(copies + 10) * 1024}Mi"
    exact = model(environment={"PYTORCH_ALLOC_CONF": "pinned_max_round_threshold_mb:1"})
    pinned = math.ceil((1.15 * (22 - 4) + 10) * 1024)
    assert resources(exact, SETTINGS)["limits"]["memory"] == f"{pinned}Mi"
    assert found["limits"]["nvidia.com/gpu"] == "1"
    small = resources(model(), SETTINGS | {"memory_request_gib": 0.125, "cpu_request": 0.1})
    assert small["requests"] == {"cpu": "0.1", "memory": "128Mi"}
    assert small["limits"] == found["limits"]


def test_nobody_but_the_arbiter_reaches_an_engine() -> None:
    (rule,) = ingress(ARBITER)
    assert rule["from"] == [{"podSelector": {"matchLabels": ARBITER}}]


def test_the_wrapper_reads_its_secret_from_a_file_that_is_mounted() -> None:
    words = wrapper(model())
    mount, volume = secret()["mount"], secret()["volume"]
    assert value_of(words, "--secret-file") == f"{mount['mountPath']}/secret"
    assert volume["secret"]["secretName"] == "arbiter-boot-secret"
    assert mount["name"] == volume["name"]


def test_what_a_pod_runs_is_mounted() -> None:
    files = {f"/opt/synapse/{name}" for name in code("boot_scripts", "boot_*.py")}
    used = {command(model(), GPU, SETTINGS)[1], probe("alive", 1800)[2]}
    assert used <= files
