"""The rendered text, whole: a reviewer sees the effect of a template's change as a diff.

`SYNAPSE_GOLDEN=write pytest tests/render/test_golden.py` takes over what is rendered now.
"""

import os
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("name", ["namespace.yaml", "ollama.yaml"])
def test_manifests_are_as_reviewed(rendered: Path, name: str) -> None:
    text = (rendered / name).read_text()
    if os.environ.get("SYNAPSE_GOLDEN") == "write":
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()
