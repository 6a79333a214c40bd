"""The phases of `make site`, in their order: what each runs, and what may be asked for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

OWN = (sys.executable, "-m", "synapse_cli")
PLAYBOOK = (sys.executable, "-m", "ansible", "playbook")
SITE = (*PLAYBOOK, "site.yml")
CHECKS = ("playbooks/check.yml", "playbooks/downloads.yml")
ANSWER = "answer"
TOLD = "    |"
NO_SERVER = "no server named in hosts.yml: its owner sees to it"

# A variable that allows what nobody does unasked, with the question.
CONSENTS = {
    "nvidia_install": "Install NVIDIA's driver and container toolkit on the server?",
    "nvidia_reboot": "Reboot the server now, so that the driver is used?",
}


@dataclass(frozen=True)
class Phase:
    """One phase; without a command it is skipped, and `skipped` says why."""

    name: str
    what: str
    """What it does, in words that stand beside its name."""
    command: tuple[str, ...] = ()
    skipped: str = ""
    consents: dict[str, str] = field(default_factory=dict)
    goes_on: bool = False
    """Whether the phases after it make sense although it failed."""
    shows: str = ""
    """Lines of its output that begin so are shown to whoever runs it."""


def phases(servers: Sequence[str]) -> tuple[Phase, ...]:
    """Return all phases of a site with these servers."""
    skipped = "" if servers else NO_SERVER
    return (
        Phase("find", "looks at the server", (*OWN, "find"), skipped),
        Phase("check", "reads your site", (*PLAYBOOK, *CHECKS), shows=TOLD),
        Phase("cluster", "sets up Kubernetes", (*SITE, "--tags", "cluster"), skipped),
        Phase("nvidia", "sets up the GPU", (*SITE, "--tags", "nvidia"), skipped, CONSENTS),
        # Before its driver was there, the GPU was believed to be the example's.
        Phase("measure", "looks at the GPU", (*OWN, "find"), skipped),
        Phase(
            "gateway",
            "deploys all that the first answer needs",
            (*SITE, "--tags", "infra,ollama,arbiter,litellm,gateway", "--skip-tags", "models"),
        ),
        # A download that fails keeps nobody from what else there is.
        Phase("model", "brings the first model", (*SITE, "--tags", "models"), goes_on=True),
        Phase("answer", "asks the gateway a question", goes_on=True),
        Phase(
            "rest",
            "deploys sound, the chat page and the GPU's models",
            # Their downloads go on in their pods: nobody has to wait for them here.
            (*SITE, "--tags", "speech,chat,vllm", "-e", '{"vllm_wait_s": 0}'),
            goes_on=True,
        ),
    )


def allowing(phase: Phase, variables: Sequence[str]) -> tuple[str, ...]:
    """Return the phase's command with what was agreed to."""
    extra = [word for name in variables for word in ("-e", f'{{"{name}": true}}')]
    return (*phase.command, *extra)
