"""The applications' keys: read one, replace one, carry all of them to a new server.

The Secrets and their layout belong to the role gateway.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Cluster, ClusterError
from synapse_common.secrets import (
    APPS_SECRET,
    CHAT_PASSWORD_ENTRY,
    CHAT_SECRET,
    MADE,
    MASTER_ENTRY,
    MASTER_SECRET,
    PEOPLE_ENTRY,
    made_now,
)

KEY_BYTES = 24
NO_KEYS = "The cluster has no keys yet. Run make deploy-gateway."
NO_CHAT_PAGE = (
    "The cluster has no chat page yet. Write chat_enabled: true into platform.yml, then run make "
    "deploy."
)


class KeyFileError(Exception):
    """A file of keys can't be written or read; the text says why and what to do."""


def read_app_key(cluster: Cluster, app: str) -> str:
    """One application's key; raise ClusterError naming the applications there are."""
    return entry(read(cluster, APPS_SECRET), app)


def read_master_key(cluster: Cluster) -> str:
    """The operator's own key: every model, no limits."""
    return entry(read(cluster, MASTER_SECRET), MASTER_ENTRY)


def read_chat_password(cluster: Cluster) -> str:
    """The password that the chat page's first account was made with; raise ClusterError."""
    return read(cluster, CHAT_SECRET, NO_CHAT_PAGE)[CHAT_PASSWORD_ENTRY]


def rotate_app_key(cluster: Cluster, app: str) -> None:
    """Give one application a new key; the old one stops working when the gateway has read it."""
    entry(read(cluster, APPS_SECRET), app)
    new = {app: f"sk-synapse-{app}-{secrets.token_hex(KEY_BYTES)}"}
    write(cluster, APPS_SECRET, new, made=made_now())


def export_keys(cluster: Cluster, file: Path) -> int:
    """Write all keys to a new file that only its owner can read; return how many."""
    kept = {name: dict(read(cluster, name)) for name in (MASTER_SECRET, APPS_SECRET)}
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as fault:
        raise KeyFileError(f"{file} is there already; name a file that is not.") from fault
    except OSError as fault:
        raise KeyFileError(f"{file} can't be written: {fault.strerror}.") from fault
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        yaml.safe_dump(kept, target)
    return number_of_keys(kept)


def restore_keys(cluster: Cluster, file: Path) -> int:
    """Put an export's keys into the cluster, over those that are there; return how many.

    An export does not say when a key was made: nobody knows it of one that comes from there.
    """
    try:
        kept = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as fault:
        raise KeyFileError(f"{file} can't be read: {fault}.") from fault
    if not is_export(kept):
        raise KeyFileError(f"{file} is no export of keys; make export-keys writes one.")
    for name, values in kept.items():
        there = entries_of(find(cluster, name))
        other = {key: value for key, value in values.items() if there.get(key) != value}
        write(cluster, name, other, made=None)
    return number_of_keys(kept)


def number_of_keys(kept: Mapping[str, Mapping[str, str]]) -> int:
    """How many entries of an export open something: what hashes are made with opens nothing."""
    return sum(key != PEOPLE_ENTRY for values in kept.values() for key in values)


def is_export(kept: Any) -> bool:
    """Does the content of a file look like what export_keys writes?"""
    return (
        isinstance(kept, dict)
        and kept.keys() == {MASTER_SECRET, APPS_SECRET}
        and all(isinstance(values, dict) for values in kept.values())
        and all(isinstance(value, str) for values in kept.values() for value in values.values())
    )


def entry(values: Mapping[str, str], name: str) -> str:
    """One entry of a Secret; raise ClusterError naming those there are."""
    if name not in values:
        there = ", ".join(sorted(values)) or "none"
        raise ClusterError(f"There is no application {name} (there are: {there}). See apps.yml.")
    return values[name]


def read(cluster: Cluster, name: str, missing: str = NO_KEYS) -> dict[str, str]:
    """The decoded entries of a Secret; raise ClusterError when it is not there yet."""
    return entries_of(existing(cluster, name, missing))


def read_made(cluster: Cluster) -> dict[str, str | None]:
    """When the key of each application was made, in UTC; None: before anybody wrote it down."""
    found = existing(cluster, APPS_SECRET)
    told = found.metadata.annotations or {}
    return {app: told.get(f"{MADE}{app}") for app in found.data or {}}


def existing(cluster: Cluster, name: str, missing: str = NO_KEYS) -> Any:
    """A Secret; raise ClusterError when it is not there yet."""
    found = find(cluster, name)
    if found is None:
        raise ClusterError(missing)
    return found


def find(cluster: Cluster, name: str) -> Any:
    """A Secret; None where there is none."""
    return cluster.find(
        cluster.core.read_namespaced_secret,
        name,
        cluster.namespace,
        _request_timeout=REQUEST_TIMEOUT_S,
    )


def entries_of(secret: Any) -> dict[str, str]:
    """The decoded entries of a Secret, none where there is none."""
    held = (secret.data if secret else None) or {}
    return {key: base64.b64decode(value).decode() for key, value in held.items()}


def write(cluster: Cluster, name: str, values: Mapping[str, str], made: str | None) -> None:
    """Set entries of a Secret and when they were made up; make the Secret when there is none.

    Its other entries are left alone.
    """
    told = {f"{MADE}{key}": made for key in values}
    place = {"namespace": cluster.namespace, "_request_timeout": REQUEST_TIMEOUT_S}
    # As plain data: the client's own types have no way to say that an annotation goes.
    change = {"metadata": {"annotations": told}, "stringData": dict(values)}
    if cluster.find(cluster.core.patch_namespaced_secret, name, body=change, **place) is None:
        known = {key: value for key, value in told.items() if value is not None}
        metadata = client.V1ObjectMeta(name=name, annotations=known)
        secret = client.V1Secret(metadata=metadata, string_data=dict(values))
        cluster.ask(cluster.core.create_namespaced_secret, body=secret, **place)
