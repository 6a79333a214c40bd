"""`make app-env`: what an application needs, ready for use, from what is deployed."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from synapse_cli import address, health, keys
from synapse_cli.cluster import Cluster
from synapse_common.secrets import APPS_SECRET
from synapse_common.words import suggest
from synapse_deploy.clients.access import Access, AccessError, access, apps_of
from synapse_deploy.clients.every import EVERY
from synapse_deploy.clients.formats import env
from synapse_deploy.clients.packages import environment

HERE = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104  # names, nothing listens
LEAD = """\
# {app}: key and address as the packages of OpenAI, Anthropic and Ollama read them by themselves.
# In a shell: set -a; . FILE; set +a. In a container: --env-file FILE.
# make app-env APP={app} FOR=CLIENT prints the settings of a client, one of
#   {clients}
"""
POD = """\
#
# A pod of the namespace {namespace} takes the key from the Secret, and this address:
# env:
#   - name: OPENAI_BASE_URL
#     value: {inside}/v1
#   - name: OPENAI_API_KEY
#     valueFrom: {{secretKeyRef: {{name: {secret}, key: {app}}}}}
# Pods of other namespaces reach the same address; a Secret is read in its own namespace alone.
"""


def text(cluster: Cluster, app: str, client: str, tell: Callable[[str], None]) -> str:
    """What is printed; `tell` gets remarks that no file should hold."""
    if client and client not in EVERY:
        near = suggest(client, sorted(EVERY)) or "."
        raise AccessError(f'No settings for "{client}"{near} There are: {", ".join(EVERY)}.')
    found = access_of(cluster, app)
    if urlsplit(found.url).hostname in HERE:
        tell(
            f"{found.url} leads there from this machine alone. For others, write the address that "
            "leads to the server as synapse_gateway_url into platform.yml, then run make "
            "deploy-gateway."
        )
    if not client:
        return plain(found, cluster)
    if EVERY[client].format == "json":
        tell(EVERY[client].remark)
    return EVERY[client].settings(found)


def access_of(cluster: Cluster, app: str) -> Access:
    """What the deployed gateway lets an application do, with its key and that for its tasks."""
    config = health.gateway_config(cluster, cluster.workloads())
    apps: Mapping[str, Any] = {one["name"]: one for one in config["apps"]}
    needed = [app, *(one["name"] for one in apps_of(apps, app))] if app in apps else []
    return access(
        app,
        config["models"],
        config.get("aliases") or (),
        apps.values(),
        address.outside(cluster),
        {name: keys.read_app_key(cluster, name) for name in needed},
        address.node_port(cluster, address.BRIDGE),
    )


def plain(found: Access, cluster: Cluster) -> str:
    """An env file for any program, with all else that there is to know as comments."""
    lead = LEAD.format(app=found.app, clients=", ".join(EVERY))
    names = "".join(f"# {line}\n" for line in told(found))
    place = {"namespace": cluster.namespace, "inside": address.inside(cluster)}
    pod = POD.format(app=found.app, secret=APPS_SECRET, **place)
    return lead + env(environment(found)) + f"#\n# It may ask for:\n{names}" + pod


def told(found: Access) -> list[str]:
    """The names that it may ask for, by kind."""
    kinds = dict.fromkeys(one.kind for one in found.named)
    lines = [
        f"  {kind}: {', '.join(one.name for one in found.named if one.kind == kind)}"
        for kind in kinds
    ]
    if found.tasks:
        lines.append(f"For what its client does in the background there is {found.tasks.app}.")
    return lines
