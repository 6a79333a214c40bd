"""A role refuses what its service would refuse, in the role's own words, before it deploys."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

ROLES = Path(__file__).parents[3] / "roles"
GOLDEN = Path(__file__).parents[2] / "golden"
ARBITER: dict[str, Any] = {
    "models": [{"name": "a", "url": "http://a:8000", "vram_gib": 24}],
    "gpu": {"vram_gib": 32},
}
SPEECH: dict[str, Any] = {
    "folder": "/models",
    "models": [{"name": "piper", "voices": {"alloy": "en_US-a-low"}}],
}


def filter_of(role: str, name: str) -> Callable[[Any], Any]:
    """The filter as Ansible loads it."""
    file = ROLES / role / f"filter_plugins/{role}.py"
    spec = importlib.util.spec_from_file_location(f"filters_of_{role}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[Any], Any] = module.FilterModule().filters()[name]
    return found


def good(role: str) -> dict[str, Any]:
    """A configuration that the service takes."""
    if role == "gateway":
        written: dict[str, Any] = yaml.safe_load((GOLDEN / "config/gateway.yaml").read_text())
        written["apps"][0]["models"] = ["big"]
        return written
    return ARBITER if role == "arbiter" else SPEECH


@pytest.mark.parametrize(
    ("role", "changes", "told"),
    [
        ("gateway", {"settings": {"transcription_concurrency": -3, "uploads_at_once": 0}},
         ["gateway_uploads_at_once must be at least 1, not 0",
          "gateway_transcription_concurrency must be at least 1, not -3"]),
        ("gateway", {"aliases": [{"name": "x", "model": "bigg"}]},
         ['alias x: model "bigg" is no model; did you mean "big"?']),
        ("arbiter", {"rules": {"quantm_s": 20}, "limits": {"drain_s": -1}, "default_model": "b",
                     "gpu": {"vram_gib": 32, "vram_source": "nvm"}},
         ["arbiter_vram_source \"nvm\" is not valid; write nvml, none or an http address",
          'arbiter_rules: unknown key "quantm_s"; did you mean "quantum_s"?',
          "arbiter_limits: drain_s must be at least 0, not -1",
          'arbiter_default_model "b" is no model']),
        ("speech", {"settings": {"workers": 0}}, ["speech_workers must be at least 1, not 0"]),
    ],
)  # fmt: skip
def test_a_configuration_its_service_would_refuse_is_refused(
    role: str, changes: dict[str, Any], told: list[str]
) -> None:
    check = filter_of(role, f"{role}_checked")
    text = yaml.safe_dump(good(role))
    assert check(text) is text
    with pytest.raises(AnsibleFilterError) as refused:
        check(yaml.safe_dump(good(role) | changes))
    assert str(refused.value).splitlines() == told
