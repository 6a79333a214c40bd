"""Texts of K3s as they may leave a server: without tokens, passwords and addresses of databases."""

from __future__ import annotations

import re

from .server import Facts

SECRET_OPTIONS = frozenset(
    {"token", "t", "agent-token", "datastore-endpoint", "etcd-s3-access-key", "etcd-s3-secret-key",
     "etcd-s3-session-token", "vpn-auth"}
)  # fmt: skip
SECRET_WORD = re.compile(r"(?i)((?:token|password|passwd|secret|api-?key)\"?'?\s*[=:]\s*)\S+")
IN_ADDRESS = re.compile(r"(://)[^/\s@\"']+@")
OPTION_LINE = re.compile(r"""(["']?)([A-Za-z][A-Za-z0-9-]*)\+?\1\s*:(?:\s+(.*)|\s*)$""")


def without_values(words: list[str]) -> list[str]:
    """Return arguments without the values of those that are secret."""
    kept: list[str] = []
    is_secret = False
    for word in words:
        if is_secret and not word.startswith("-"):
            is_secret = False
            continue
        name, _, value = word.partition("=")
        is_secret = name.startswith("-") and name.lstrip("-") in SECRET_OPTIONS
        kept.append(name if is_secret else covered(word))
        is_secret = is_secret and not value
    return kept


def covered(text: str) -> str:
    """Return a text without what looks like a password in it."""
    return IN_ADDRESS.sub(r"\1masked@", SECRET_WORD.sub(r"\1masked", text))


def without_secrets(texts: dict[str, str]) -> tuple[list[Facts], list[str]]:
    """Return K3s' files without secret options, and a sentence for each in another form.

    A file is passed on only where every option begins a line of its own: in another form of YAML
    a secret might be overlooked.
    """
    files, faults = [], []
    for path, text in texts.items():
        kept: list[str] | None = []
        dropping = False
        for line in text.splitlines():
            option = OPTION_LINE.match(line)
            if option:
                dropping = option.group(2) in SECRET_OPTIONS or "password" in option.group(2)
                value = option.group(3) or ""
                if dropping and value[:1] in ("'", '"') and value.count(value[0]) % 2:
                    kept = None  # goes on in the next line
            elif line.strip() and not line.startswith((" ", "-", "#", "]", "\t", "...")):
                kept = None
            if kept is None:
                faults.append(
                    f"{path} is written in a form that Synapse does not read: write each option "
                    "at the beginning of a line of its own, as `name: value`."
                )
                break
            if not dropping:
                kept.append(covered_line(line, option))
        if text and kept is not None:
            files.append({"path": path, "text": "\n".join(kept) + "\n"})
    return files, faults


def covered_line(line: str, option: re.Match[str] | None) -> str:
    """Return a line of the configuration; the option's own name is no password."""
    start = line.index(":") + 1 if option else 0
    return line[:start] + covered(line[start:])
