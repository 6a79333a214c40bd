"""The words that were given up stay out of what a user reads: the field has its own for them."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# What to write instead: the word's pattern, then the word of the field.
GIVEN_UP = {
    r"(graphics )?cards?(?! of Hugging)": "GPU",
    r"the processor": "the CPU",
    r"what (hears|speaks)|hears|hearing|heard": "transcription, speech-to-text, text-to-speech",
    r"line_too_long|in line": "queue_timeout, in the queue",
    r"backends?|upstreams?": "engine",
    r"litellm_(hearing|audio|json|total)_[a-z_]+|litellm-(master-key|app-keys)": "gateway",
    r"synapse_operator": "synapse_cli",
    r"desk|aftermath|ledgers?|journal|standings?|chores?": "admission, engine health, ...",
    r"lends?|lent|loan": "release",
    r"stock": "availability",
    r"roads?": "path, connection, network rules",
    r"doors?": "way in, transport",
    r"sleeper_gib|stand_in|tamed|crowded|voiceless": "sleeping_gib, cpu_fallback, ...",
    r"nobody reads the key": "unknown key",
    r"cannot be had|can be had": "cannot be downloaded",
    r"brings about": "deploys",
    r"vllm_metrics_clients": "arbiter_metrics_clients",
}
READ = (
    "README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "site.yml", "docs/*.md",
    "docs/clients/*.md", "playbooks/*.yml", "templates/*", "group_vars/**", "inventory/common/*",
    "inventory/examples/**", "roles/**/README.md", "roles/**/defaults/*", "roles/**/meta/*",
    "roles/**/tasks/*", "files/*/README.md", "molecule/testbed/README.md",
)  # fmt: skip
# Names that others gave, and a sentence of the demo's model.
OTHERS = re.compile(
    r"(moe|attention)-backend|model card|Upstream Kubernetes|journalctl|stdout_callback"
    r"|chore: release|refactor, chore|litellm-(master-key|app-keys)|move_from_litellm|heard: "
)


def read_by_users() -> list[Path]:
    listed = ["git", "ls-files", "--", *(f":(glob){pattern}" for pattern in READ)]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split() if not (ROOT / name).is_symlink()]


@pytest.mark.parametrize("word", GIVEN_UP)
def test_no_word_that_was_given_up_is_left(word: str) -> None:
    pattern = re.compile(rf"(?<![\w.-])({word})(?![\w-])", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in read_by_users()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(OTHERS.sub("", line))
    ]
    assert not found, f"write {GIVEN_UP[word]}:\n" + "\n".join(found)


def test_the_pages_are_looked_at() -> None:
    assert len(read_by_users()) > 60


def test_prose_wraps() -> None:
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")):
        prose = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
        for line in prose.splitlines():
            table_or_code = line.lstrip().startswith("|") or line.startswith("    ")
            assert len(line) <= 120 or table_or_code, f"{path.relative_to(ROOT)}: {line}"
