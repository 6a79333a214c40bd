"""The rendered text, whole: a reviewer sees the effect of a template's change as a diff.

`SYNAPSE_GOLDEN=write pytest tests/render/test_golden.py` takes over what is rendered now.
"""

import os
import re
from pathlib import Path

import pytest
import yaml

from synapse_deploy.kube.manifests import to_text

GOLDEN = Path(__file__).parents[1] / "golden"


def without_code(text: str) -> str:
    """The objects without the code in them, which is reviewed where it is written."""
    objects = list(yaml.safe_load_all(text))
    for found in objects:
        if found["kind"] == "ConfigMap":
            for name in found["data"]:
                if not name.endswith(".yaml"):
                    found["data"][name] = "(code)"
    return re.sub(r"-[0-9a-f]{10}$", "-(hash)", to_text(objects), flags=re.MULTILINE)


@pytest.mark.parametrize(
    "name",
    [
        "arbiter.yaml", "chat.yaml", "device-plugin.yaml", "gateway.yaml", "litellm.yaml",
        "model-fetcher.yaml", "namespace.yaml", "ollama.yaml", "speech.yaml", "vllm.yaml",
    ],
)  # fmt: skip
def test_manifests_are_as_reviewed(rendered: Path, name: str) -> None:
    text = without_code((rendered / name).read_text())
    if os.environ.get("SYNAPSE_GOLDEN") == "write":
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()
