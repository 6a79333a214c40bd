"""The example in docs/voice-loop.md, word for word, against the running testbed."""

import re
import subprocess
import sys
from pathlib import Path

import openai

from synapse_cli.cluster import Cluster
from synapse_cli.keys import read_app_key

from .recordings import seconds, spoken

DOCUMENT = Path(__file__).parents[2] / "docs/voice-loop.md"
ADDRESS = "http://forge:8000"
LIMIT_S = 120


def test_the_documents_example_hears_answers_and_speaks(
    jarvis: openai.OpenAI, base_url: str, cluster: Cluster, tmp_path: Path
) -> None:
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found
    assert found[1].count(ADDRESS) == 1
    (tmp_path / "voice_loop.py").write_text(found[1].replace(ADDRESS, base_url))
    (tmp_path / "said.wav").write_bytes(spoken(jarvis, "What is the weather in the morning?"))
    key = read_app_key(cluster, "jarvis-cortex")
    ran = subprocess.run(
        [sys.executable, "voice_loop.py", key, "said.wav"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = [line.split(" s  ", 1) for line in ran.stdout.splitlines() if " s  " in line]
    assert [what.split(":")[0] for _, what in told] == [
        "heard",
        "answer",
        "first byte of speech",
        "the whole of it is in answer.wav",
    ]
    assert "weather in the morning" in told[0][1]
    assert seconds((tmp_path / "answer.wav").read_bytes()) > 1
