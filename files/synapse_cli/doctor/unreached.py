"""Why a server told nothing, in a sentence instead of Ansible's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synapse_host.rules.server import SUDO_RS

ASK = (
    "sudo asks for a password there: `export ANSIBLE_BECOME_ASK_PASS=true`, then each command asks "
    "you once; or allow the user to use sudo without one."
)
# The first pattern that Ansible's message contains tells what was seen and the remedy.
KNOWN = (
    (r"Unable to execute ssh", "not asked: no ssh here",
     "Install ssh on this machine: `sudo apt install openssh-client`."),
    (r"Host key verification failed", "not reached: unknown host key",
     "`ssh USER@ADDRESS` by hand once, as hosts.yml says them, shows the key: compare it on the "
     "server (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`) and say yes."),
    (r"Permission denied", "not reached: ssh refused the key",
     "`ssh-copy-id USER@ADDRESS`, or correct ansible_user or ansible_ssh_private_key_file in "
     "hosts.yml."),
    (r"Could not resolve hostname", "not reached: unknown name",
     "Write its address into hosts.yml: ansible_host: 192.168.1.10."),
    (r"Missing \w+ password|(password|terminal) is required", "sudo wants a password", ASK),
    (r"Incorrect \w+ password|Duplicate become password", "sudo refused the password",
     "Type it again; ansible_become_password in hosts.yml may be an old one."),
    (r"privilege escalation prompt|waiting for become success or become password",
     "sudo's question was not understood", SUDO_RS),
    (r"not in the sudoers|not allowed to (execute|run)", "sudo is not allowed",
     "Let the user of hosts.yml use sudo: `sudo usermod -aG sudo USER` on the server, then log in "
     "anew."),
    (r"waiting for become success", "sudo did not start",
     "Install sudo on the server, or let Ansible log in as root: ansible_user: root."),
    (r"interpreter .* was not found|python\S*: (command )?not found", "no Python there",
     "`sudo apt install python3` on the server, or correct ansible_python_interpreter in "
     "hosts.yml."),
    (r"Connection refused|timed out|No route to host|Network is unreachable|unreachable",
     "not reached",
     "Is it on, and does `ssh USER@ADDRESS` work, with `-p PORT` where it is not 22? They are "
     "ansible_user, ansible_host and ansible_port in hosts.yml."),
)  # fmt: skip


def sentence(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Return what was seen of a server that told nothing, and the remedy."""
    said = " ".join(str(answer.get(key, "")) for key in ("msg", "module_stderr"))
    for pattern, seen, remedy in KNOWN:
        if re.search(pattern, said):
            return seen, f"{remedy} Ansible said: {_short(answer)}."
    return "told nothing", f"Ansible said: {_short(answer)}."


def _short(answer: Mapping[str, Any]) -> str:
    text = str(answer.get("module_stderr") or answer.get("msg") or "nothing").strip()
    text = text.removeprefix("Task failed: ").removesuffix(".")
    return " ".join(text.split())[:300]


def told(answer: Mapping[str, Any], name: str) -> str:
    """Return the same in one sentence, for a role that stops."""
    seen, remedy = sentence(answer)
    return f"{name}: {seen}. {remedy}"
