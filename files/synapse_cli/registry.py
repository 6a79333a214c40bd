"""Asks an image registry for the digest behind a tag, without an account: OCI distribution API."""

import hashlib
import re
from dataclasses import dataclass

import httpx

# An index of several platforms first: its digest serves every machine.
ACCEPTED = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
REFERENCE = re.compile(r"([^/\s]+)/([a-z0-9._/-]+):([\w.-]+)(?:@(sha256:[0-9a-f]{64}))?")
HOSTS = {"docker.io": "registry-1.docker.io"}
HERE = ("localhost", "127.0.0.1")
NO_ACCESS = "{registry} lets nobody read it without an account"
REFUSALS: dict[int, str] = {
    httpx.codes.UNAUTHORIZED: NO_ACCESS,
    httpx.codes.FORBIDDEN: NO_ACCESS,
    httpx.codes.NOT_FOUND: "there is no such tag; correct it in versions.yml",
    httpx.codes.TOO_MANY_REQUESTS: "{registry} was asked too often; try again in some hours",
}
REALM = re.compile(r'(\w+)="([^"]*)"')


class RegistryError(Exception):
    """There is no digest to be had; the text says why and what to do."""


@dataclass(frozen=True)
class Reference:
    """An image's name in parts; as text it is `image:tag` or `image:tag@digest`."""

    registry: str
    repository: str
    tag: str
    digest: str = ""

    def __str__(self) -> str:
        """Write the reference as images are named."""
        name = f"{self.registry}/{self.repository}:{self.tag}"
        return f"{name}@{self.digest}" if self.digest else name


def parse(text: str) -> Reference:
    """Read a reference; raise RegistryError when it names no registry or no tag."""
    found = REFERENCE.fullmatch(text)
    if not found:
        raise RegistryError(
            f"{text}: write the registry too, as in docker.io/library/python and its tag"
        )
    registry, repository, tag, digest = found.groups()
    return Reference(registry, repository, tag, digest or "")


def digest_of(image: Reference, client: httpx.Client) -> str:
    """Return the digest that the tag has now; raise RegistryError with a sentence when not."""
    name = f"{image.registry}/{image.repository}:{image.tag}"
    address = _address(image.registry)
    url = f"{address}/v2/{image.repository}/manifests/{image.tag}"
    headers = {"Accept": ACCEPTED}
    try:
        answer = client.get(url, headers=headers)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            token = _token(name, answer.headers.get("WWW-Authenticate", ""), client)
            answer = client.get(url, headers=headers | {"Authorization": f"Bearer {token}"})
    except (httpx.RequestError, httpx.InvalidURL) as fault:
        raise RegistryError(
            f"{name}: {image.registry} cannot be reached ({fault}); look at this machine's network"
        ) from fault
    if answer.status_code != httpx.codes.OK:
        why = REFUSALS.get(answer.status_code, "{registry} answered {status}; try again later")
        told = why.format(registry=image.registry, status=answer.status_code)
        raise RegistryError(f"{name}: {told}")
    digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    told = answer.headers.get("Docker-Content-Digest", digest)
    if told != digest:
        raise RegistryError(
            f"{name}: what {image.registry} sent has not the digest that it names ({told}); "
            "something between here and there changes it"
        )
    return digest


def _address(registry: str) -> str:
    host = HOSTS.get(registry, registry)
    return f"{'http' if host.partition(':')[0] in HERE else 'https'}://{host}"


def _token(name: str, challenge: str, client: httpx.Client) -> str:
    """Get the token that lets anybody read, from where the registry says."""
    asked = dict(REALM.findall(challenge))
    if not challenge.startswith("Bearer ") or "realm" not in asked:
        raise RegistryError(f"{name}: its registry asks for an account, not for a token")
    answer = client.get(asked.pop("realm"), params=asked)
    try:
        told = answer.raise_for_status().json()
        return str(told.get("token") or told["access_token"])
    except (httpx.HTTPStatusError, ValueError, KeyError, AttributeError) as fault:
        raise RegistryError(f"{name}: its registry gives out no token to read it") from fault
