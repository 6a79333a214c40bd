"""What a user may get wrong: each mistake is one sentence with its file, line and remedy."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
LIMIT_S = 240
# What is put where in the files of a site, and what is said of it; `@` stands for its line.
PLATFORM = """\
vllm_ofline: true
arbiter_rule: {quantum_s: 20}
speech_download_limits: 7200
synapse_gatway_port: 8000
synapse_gpu: {vram_gib: 31.4}
synapse_cpu_cores: many
synapse_cpu_memory_gib: -4
synapse_cpu_parallel_requests: 2.5
synapse_gateway_port: 70000
synapse_gateway_service_type: Loadbalancer
synapse_keep_alive: for ever
synapse_namespace: LLM_infra
synapse_gateway_ingress: {host: ai.example.org, secret: tls}
gateway_transcription_concurrency: -3
gateway_uploads_at_once: 0
gateway_log_prompts: perhaps
arbiter_limits: {drain: 5}
ollama_pull_ports: [443, 70000]
vllm_cpu_cores: .inf
"""
MODELS = """\
synapse_models:
  - name: big
    engine: vllm
    source: owner/big
    vram_gib: 40
    kv_cache_gib: 4
  - name: small
    engine: olama
    source: "small:1b"
  - name: typo
    engine: ollama
    source: "typo:1b"
    contxt: 4096
    fallbacks: [smal]
  - name: loud
    engine: speaches
    source: no-repository
    kind: caht
  - engine: ollama
    source: "nameless:1b"
"""
ALIASES = """\
synapse_aliases:
  - {name: chat, model: nobody}
  - {name: typo, model: typo}
"""
APPS = """\
synapse_apps:
  - name: panel
    models: [typo]
    request_per_minute: 5
  - name: agents
    models: [typo]
    priority: urgent
    max_wait_s: "soon"
"""
SAID = {
    "platform.yml": (
        (1, 'vllm_ofline: unknown variable; did you mean "vllm_offline"?'),
        (2, 'arbiter_rule: unknown variable; did you mean "arbiter_rules"?'),
        (3, "speech_download_limits: unknown variable; did you mean"),
        (4, 'synapse_gatway_port: unknown variable; did you mean "synapse_gateway_port"?'),
        (5, "synapse_gpu: it is the list synapse_gpus now; write"),
        (6, "synapse_cpu_cores must be a number, not 'many'"),
        (7, "synapse_cpu_memory_gib must be greater than 0, not -4"),
        (8, "synapse_cpu_parallel_requests must be a whole number, not 2.5"),
        (9, "synapse_gateway_port must be at most 65535, not 70000"),
        (10, '"Loadbalancer" is not one of LoadBalancer, NodePort or ClusterIP; did you mean'),
        (11, 'synapse_keep_alive "for ever" is not valid; write a time that ends, such as 15m'),
        (12, 'synapse_namespace "LLM_infra" is not valid; write a DNS label such as llm-infra'),
        (13, 'synapse_gateway_ingress: the key "tls_secret" is missing'),
        (13, 'synapse_gateway_ingress: unknown key "secret"; did you mean "tls_secret"?'),
        (14, "gateway_transcription_concurrency must be at least 1, not -3"),
        (15, "gateway_uploads_at_once must be at least 1, not 0"),
        (16, "gateway_log_prompts must be yes or no (true or false), not 'perhaps'"),
        (17, 'arbiter_limits: unknown key "drain"; did you mean "drain_s"?'),
        (18, "ollama_pull_ports: entry 2 must be at most 65535, not 70000"),
        (19, "vllm_cpu_cores must be a finite number"),
    ),
    "models.yml": (
        (5, "model big: vram_gib 40 is more than the GPU has, 31.4 (synapse_gpus); take"),
        (8, 'model small: engine "olama" is not one of vllm, ollama, speaches, piper, openai or'),
        (13, 'model typo: unknown key "contxt"; did you mean "context"?'),
        (14, 'model typo: fallbacks: "smal" is not in synapse_models; did you mean "small"?'),
        (17, 'model loud: source "no-repository" must look like owner/name'),
        (18, 'model loud: kind "caht" is not one of chat, embedding, rerank, transcription or'),
        (19, 'model number 5: the key "name" is missing'),
    ),
    "aliases.yml": (
        (2, 'alias chat: model "nobody" is not in synapse_models'),
        (3, "alias typo: a model has the same name; rename one of them"),
    ),
    "apps.yml": (
        (4, 'app panel: unknown key "request_per_minute"; did you mean "requests_per_minute"?'),
        (7, 'app agents: priority "urgent" is not one of interactive or batch'),
        (8, "app agents: max_wait_s must be a number, not 'soon'"),
    ),
}


def site(folder: Path) -> Path:
    """A site with one GPU, before anything is wrong with it."""
    shutil.copytree(ROOT / "inventory/examples/rtx5090", folder)
    return folder / "group_vars/all"


def deploy(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run site.yml for a site, rendering into a folder; return its exit status and words."""
    into = folder / "rendered"
    into.mkdir()
    told = {"kube_objects_apply": False, "kube_objects_render_dir": str(into)}
    inventories = ["-i", "inventory/common", "-i", str(folder / "site")]
    command = [str(PLAYBOOK), *inventories, "site.yml", "-e", json.dumps(told), *arguments]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert not list(into.iterdir()) or ended.returncode == 0, "something was rendered"
    return ended.returncode, ended.stdout


def test_every_mistake_is_one_sentence_and_nothing_is_changed(tmp_path: Path) -> None:
    written = site(tmp_path / "site")
    texts = {
        "platform.yml": PLATFORM + "synapse_gpus: [{vram_gib: 31.4}]\n",
        "models.yml": MODELS,
        "aliases.yml": ALIASES,
        "apps.yml": APPS,
    }
    for file, text in texts.items():
        (written / file).write_text(text)
    host = tmp_path / "site/host_vars/localhost.yml"
    host.parent.mkdir()
    host.write_text("ollama_prune_model: true\n")
    more = ["-e", "speech_ofline=true", "-e", "vllm_boot_limit_s=soon"]
    status, told = deploy(tmp_path, *more)
    assert status != 0
    expected = [
        f"{written / file}:{line}: {text}"
        for file, sentences in SAID.items()
        for line, text in sentences
        if "is not one of Load" not in text
    ]
    expected += [
        f"{written / 'platform.yml'}:10: synapse_gateway_service_type {SAID['platform.yml'][9][1]}",
        f'{host}:1: ollama_prune_model: unknown variable; did you mean "ollama_prune_models"?',
        'given with -e: speech_ofline: unknown variable; did you mean "speech_offline"?',
        "given with -e: vllm_boot_limit_s must be a whole number, not 'soon'",
    ]
    missing = [sentence for sentence in expected if sentence not in told]
    assert not missing, told
    assert f"{len(expected)} faults in what you wrote; nothing was changed" in told


def test_options_that_follow_from_the_site_are_checked_too(tmp_path: Path) -> None:
    written = site(tmp_path / "site")
    before = len((written / "platform.yml").read_text().splitlines())
    with (written / "platform.yml").open("a") as file:
        file.write("ollama_memory_gib: lots\ngateway_service_type: Door\n")
    status, told = deploy(tmp_path)
    assert status != 0
    assert (
        f"{written / 'platform.yml'}:{before + 1}: ollama_memory_gib must be a number, not 'lots'"
    ) in told
    assert f'platform.yml:{before + 2}: gateway_service_type "Door" is not one of' in told


def test_what_only_a_service_can_judge_is_refused_before_anything_is_applied(
    tmp_path: Path,
) -> None:
    site(tmp_path / "site")
    engine = {"url": "nowhere", "pod_labels": {}}
    engines = dict.fromkeys(("ollama", "vllm", "speaches", "piper"), engine)
    status, told = deploy(tmp_path, "-e", json.dumps({"gateway_engines": engines}))
    assert status != 0
    assert 'model whisper: url "nowhere/v1" is not valid' in told


def test_without_a_site_nothing_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    status, told = deploy(tmp_path)
    assert status != 0
    assert "make init SITE=forge" in told


def test_a_site_without_the_products_variables_is_told_how_both_are_named(tmp_path: Path) -> None:
    ended = subprocess.run(
        [str(PLAYBOOK), "-i", "inventory/examples/rtx5090", "playbooks/ollama.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ended.returncode != 0
    assert "-i inventory/common -i inventory/NAME" in ended.stdout
