"""The one place where the operator's commands talk to the Kubernetes API."""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream import portforward
from urllib3.exceptions import HTTPError

REQUEST_TIMEOUT_S = 10.0
NOT_FOUND = 404


SITE = Path(__file__).parents[2] / "inventory/current"
OWN = "synapse_kubeconfig:"


def kubeconfig(env: Mapping[str, str], site: Path) -> str | None:
    """Which kubeconfig file is used; None: KUBECONFIG's, or the one that kubectl uses."""
    if env.get("K8S_AUTH_KUBECONFIG") or env.get("KUBECONFIG"):
        return env.get("K8S_AUTH_KUBECONFIG")
    own = None
    # Later files win, as Ansible reads them; a template is for Ansible alone.
    for file in sorted(site.glob("group_vars/all/*.yml")):
        for line in file.read_text().splitlines():
            if line.startswith(OWN):
                own = yaml.safe_load(line)["synapse_kubeconfig"]
    return os.path.expanduser(own) if own and "{{" not in own else None


class ClusterError(Exception):
    """The cluster can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Answer:
    """What a service said through the API server's proxy; `latency_s` is the round trip."""

    status: int
    body: bytes
    latency_s: float


class Cluster:
    """One namespace of one cluster: that of `KUBECONFIG`, else the site's, else kubectl's own."""

    def __init__(self, namespace: str) -> None:
        """Load the kubeconfig; raise ClusterError when there is none."""
        try:
            config.load_kube_config(kubeconfig(os.environ, SITE))  # type: ignore[no-untyped-call]
        except (ConfigException, OSError) as fault:
            raise ClusterError(
                f"No usable kubeconfig ({fault}). Set KUBECONFIG to the server's kubeconfig file."
            ) from fault
        self.namespace = namespace
        # Any: in the generated types every attribute may be None, which no answer of a server has.
        self.core: Any = client.CoreV1Api()
        self.apps: Any = client.AppsV1Api()
        self.networking: Any = client.NetworkingV1Api()

    @property
    def server_host(self) -> str:
        """The API server's host name: on a single node the gateway listens there too."""
        url = str(self.core.api_client.configuration.host)
        return url.split("://", 1)[-1].rsplit(":", 1)[0].strip("/")

    def workloads(self) -> list[Any]:
        """Synapse's Deployments and StatefulSets, sorted by name."""
        selector = {
            "label_selector": "app.kubernetes.io/part-of=synapse",
            "_request_timeout": REQUEST_TIMEOUT_S,
        }
        found = [
            *self.ask(self.apps.list_namespaced_deployment, self.namespace, **selector).items,
            *self.ask(self.apps.list_namespaced_stateful_set, self.namespace, **selector).items,
        ]
        return sorted(found, key=lambda workload: str(workload.metadata.name))

    def config_map(self, name: str) -> Mapping[str, str]:
        """The data of one ConfigMap."""
        found = self.ask(
            self.core.read_namespaced_config_map,
            name,
            self.namespace,
            _request_timeout=REQUEST_TIMEOUT_S,
        )
        return dict(found.data or {})

    def pods(self, selector: str) -> list[Any]:
        """The pods that these labels find, less those that end just now."""
        found = self.ask(
            self.core.list_namespaced_pod,
            self.namespace,
            label_selector=selector,
            _request_timeout=REQUEST_TIMEOUT_S,
        ).items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    def running_pods(self, selector: str) -> list[Any]:
        """Those of these pods whose containers run."""
        return [pod for pod in self.pods(selector) if pod.status.phase == "Running"]

    def dial(self, pod: str, port: int) -> socket.socket:
        """Connect to a port of a pod; raise ClusterError if that fails."""
        connect = self.own_core().connect_get_namespaced_pod_portforward
        try:
            forward = portforward(connect, pod, self.namespace, ports=str(port))
        except (ApiException, OSError) as fault:
            raise ClusterError(f"The cluster did not connect to the pod {pod}: {fault}") from fault
        connection: socket.socket = forward.socket(port)
        return connection

    def own_core(self) -> Any:
        """A client for one connection that is upgraded: for that the library alters its client."""
        return client.CoreV1Api(client.ApiClient(self.core.api_client.configuration))

    def log_lines(self, component: str, tail: int) -> list[str]:
        """The last `tail` log lines of each pod whose `app.kubernetes.io/name` is `component`."""
        read = self.core.read_namespaced_pod_log
        logs = [
            self.ask(
                read,
                pod.metadata.name,
                self.namespace,
                tail_lines=tail,
                _request_timeout=REQUEST_TIMEOUT_S,
            )
            for pod in self.running_pods(f"app.kubernetes.io/name={component}")
        ]
        return [line for log in logs for line in log.splitlines()]

    def last_words(self, pod: str, container: str, lines: int) -> str:
        """What a container of a pod wrote last; empty: nothing, or it has not started yet."""
        read = self.core.read_namespaced_pod_log
        tail = {"container": container, "tail_lines": lines}
        try:
            log = self.ask(read, pod, self.namespace, **tail, _request_timeout=REQUEST_TIMEOUT_S)
        except ClusterError:
            return ""
        return str(log or "")

    def get(self, service: str, port: int | str, path: str) -> Answer:
        """GET `path` of a service through the API server, so that no route to pods is needed."""
        api = self.core.api_client
        proxy = f"/api/v1/namespaces/{self.namespace}/services/{service}:{port}/proxy"
        url = f"{proxy}/{path.lstrip('/')}"
        request = api.param_serialize("GET", url, auth_settings=["BearerToken"])
        started = time.perf_counter()
        try:
            answer = api.call_api(*request, _request_timeout=REQUEST_TIMEOUT_S)
            body = answer.read()
        except HTTPError as fault:
            return Answer(0, type(fault).__name__.encode(), time.perf_counter() - started)
        return Answer(answer.status, body or b"", time.perf_counter() - started)

    def service_port(self, name: str) -> int:
        """The first port of a Service."""
        service = self.ask(
            self.core.read_namespaced_service,
            name,
            self.namespace,
            _request_timeout=REQUEST_TIMEOUT_S,
        )
        return int(service.spec.ports[0].port)

    def find(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """Make one API call as `ask` does, but return None where there is no such object."""
        try:
            return self.ask(call, *args, **kwargs)
        except ClusterError as fault:
            if isinstance(fault.__cause__, ApiException) and fault.__cause__.status == NOT_FOUND:
                return None
            raise

    @staticmethod
    def ask(call: Any, *args: Any, **kwargs: Any) -> Any:
        """Make one API call; raise ClusterError when it is refused or not answered."""
        try:
            return call(*args, **kwargs)
        except ApiException as fault:
            raise ClusterError(
                f"The cluster answered {fault.status} {fault.reason} "
                f"to {call.__name__} {' '.join(map(str, args))}."
            ) from fault
        except HTTPError as fault:
            raise ClusterError(
                f"The cluster does not answer ({type(fault).__name__}). Is the server up?"
            ) from fault
