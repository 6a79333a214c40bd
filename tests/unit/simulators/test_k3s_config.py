"""The K3s simulator reads its configuration as K3s does, and writes containerd's as K3s does."""

import tomllib
from pathlib import Path

import pytest

from k3s_simulator import claims, config, containerd, toml
from k3s_simulator.config import Config


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.yaml"
    monkeypatch.setattr(config, "FILE", path)
    (tmp_path / "config.yaml.d").mkdir()
    return path


def test_later_files_win_and_a_plus_appends(file: Path) -> None:
    file.write_text("tls-san: [one]\nnode-name: Forge\ndisable: [traefik, servicelb]\n")
    (file.parent / "config.yaml.d/10-more.yaml").write_text("tls-san+: [two]\nnode-name: Other\n")
    (file.parent / "config.yaml.d/20-ignored.txt").write_text("node-name: never\n")
    read = config.read([])
    assert read.all("tls-san") == ["one", "two"]
    assert read.node_name == "other"
    assert read.all("disable") == ["traefik", "servicelb"]


def test_unknown_key_is_skipped_with_a_warning(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("node-nam: forge\nsecrets-encryption: true\n")
    read = config.read([])
    assert "Unknown flag --node-nam found in config.yaml, skipping" in capsys.readouterr().err
    assert read.values == {"secrets-encryption": ["true"]}
    assert read.is_on("secrets-encryption")


def test_arguments_for_kubernetes_are_taken_apart_at_the_first_sign(file: Path) -> None:
    file.write_text("kubelet-arg: ['eviction-hard=memory.available<5%,nodefs.available<5%']\n")
    told = config.read([]).arguments("kubelet-arg")
    assert told == {"eviction-hard": "memory.available<5%,nodefs.available<5%"}


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        ((), {}),
        (
            ("usr/bin/nvidia-container-runtime",),
            {"nvidia": "/usr/bin/nvidia-container-runtime"},
        ),
        (
            (
                "usr/bin/nvidia-container-runtime",
                "usr/local/nvidia/toolkit/nvidia-container-runtime",
            ),
            {"nvidia": "/usr/local/nvidia/toolkit/nvidia-container-runtime"},
        ),
    ],
)
def test_operators_runtime_wins_over_the_packages(
    tmp_path: Path, programs: tuple[str, ...], found: dict[str, str]
) -> None:
    for program in programs:
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / program).touch()
    assert containerd.runtimes(tmp_path) == found


def test_configuration_of_version_3_is_put_into_version_2() -> None:
    runtimes = {"nvidia": "/usr/bin/nvidia-container-runtime"}
    told = tomllib.loads(toml.dump(containerd.base_of_version_3(Config(), runtimes)))
    plugin = containerd.for_containerd(told)["plugins"]["io.containerd.grpc.v1.cri"]
    assert told["version"] == 3
    assert plugin["sandbox_image"] == containerd.PAUSE
    assert plugin["containerd"]["snapshotter"] == "overlayfs"
    assert plugin["cni"]["bin_dir"] == "/var/lib/rancher/k3s/data/cni"
    nvidia = plugin["containerd"]["runtimes"]["nvidia"]
    assert nvidia["options"]["BinaryName"] == runtimes["nvidia"]
    assert "default_runtime_name" not in plugin["containerd"]


def test_template_extends_the_base(tmp_path: Path) -> None:
    template = tmp_path / "config-v3.toml.tmpl"
    template.write_text('{{ template "base" . }}\n[debug]\nlevel = "info"\n')
    told = tomllib.loads(containerd.render(template, "version = 3\n"))
    assert told == {"version": 3, "debug": {"level": "info"}}


def test_engines_of_the_simulated_gpu_find_its_folder() -> None:
    spec = {"process": {"rlimits": [1], "cwd": "/"}, "mounts": [{"destination": "/proc"}]}
    made = claims.with_claims(spec)
    assert made["process"] == {"cwd": "/"}
    assert [mount["destination"] for mount in made["mounts"]] == ["/proc", "/opt/simulated-gpu"]
    assert claims.runtimes_with_claims(Path("ctr"), ["nvidia"], Path("never")) == {}


def test_only_nvidias_runtime_begins_with_another_spec() -> None:
    runtimes = {"nvidia": "/usr/bin/nvidia-container-runtime"}
    told = containerd.for_containerd(containerd.base_of_version_3(Config(), runtimes))
    known = containerd.runtimes_of(
        containerd.with_runtimes(told, {"nvidia": {"base_runtime_spec": "/run/spec.json"}})
    )
    assert known["nvidia"]["base_runtime_spec"] == "/run/spec.json"
    assert known["nvidia"]["options"]["BinaryName"] == runtimes["nvidia"]
    assert "base_runtime_spec" not in known["runc"]
