#!/usr/bin/python
"""The key that signs a repository, put in place only after its fingerprint was compared."""

# Runs on the server: the standard library and Ansible's own modules, nothing else.
from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.synapse_files import write
from ansible.module_utils.urls import fetch_url

DOCUMENTATION = """
---
module: signing_key
short_description: Put the key of a repository in place once its fingerprint was compared
description:
  - Downloads an OpenPGP key, refuses it unless it is the one with this fingerprint, and writes it.
  - Nothing is downloaded while the right key is there already. No gpg is needed on the server.
options:
  url:
    description: Where the key is published, armored or not.
    type: str
    required: true
  fingerprint:
    description: The forty hexadecimal digits of its primary key.
    type: str
    required: true
  path:
    description: The file that apt is pointed at.
    type: path
    required: true
author: Synapse
"""
EXAMPLES = """
- name: Trust NVIDIA's key
  signing_key:
    url: https://nvidia.github.io/libnvidia-container/gpgkey
    fingerprint: C95B321B61E88C1809C4F759DDCAE044F796ECB0
    path: /usr/share/keyrings/synapse-nvidia-toolkit.gpg
"""
RETURN = """
path:
  description: The file.
  type: str
  returned: always
"""

LIMIT_S = 60
LARGEST_BYTES = 1024 * 1024
ARMOR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END", re.DOTALL)
PUBLIC_KEY = 6


class KeyRefusedError(Exception):
    """What was downloaded is no key."""


def binary(data: bytes) -> bytes:
    """Return a key's packets, whether it is armored or not."""
    found = ARMOR.search(data)
    if not found:
        return data
    # Headers end at an empty line; the line that begins with = is a checksum.
    body = re.split(rb"\r?\n[ \t]*\r?\n", found[1], maxsplit=1)[-1]
    lines = [line.strip() for line in body.splitlines()]
    text = b"".join(line for line in lines if not line.startswith(b"="))
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise KeyRefusedError("its armor is damaged") from error


def fingerprints(packets: bytes) -> list[str]:
    """Return the fingerprint of each primary key among these packets."""
    found: list[str] = []
    place = 0
    while place < len(packets):
        tag, start, end = _packet(packets, place)
        if tag == PUBLIC_KEY:
            body = packets[start:end]
            if body[:1] != b"\x04":
                raise KeyRefusedError("it is a key of a version that apt does not verify with")
            length = len(body).to_bytes(2, "big")
            found.append(hashlib.sha1(b"\x99" + length + body).hexdigest().upper())  # noqa: S324
        place = end
    if not found:
        raise KeyRefusedError("it is no OpenPGP key")
    return found


def _packet(packets: bytes, place: int) -> tuple[int, int, int]:
    """Return a packet's kind and where its body begins and ends."""
    head = packets[place]
    try:
        if not head & 0x80:
            raise KeyRefusedError("it is no OpenPGP key")
        if head & 0x40:
            tag, first = head & 0x3F, packets[place + 1]
            if first < 192:
                start, length = place + 2, first
            elif first < 224:
                start, length = place + 3, ((first - 192) << 8) + packets[place + 2] + 192
            elif first == 255:
                start, length = place + 6, int.from_bytes(packets[place + 2 : place + 6], "big")
            else:
                raise KeyRefusedError("it comes in parts")
        else:
            tag, size = (head >> 2) & 0x0F, 1 << (head & 3)
            if size == 8:
                raise KeyRefusedError("it has a packet without a length")
            start = place + 1 + size
            length = int.from_bytes(packets[place + 1 : start], "big")
    except IndexError:
        raise KeyRefusedError("it is cut off") from None
    if start + length > len(packets):
        raise KeyRefusedError("it is cut off")
    return tag, start, start + length


def refusal(packets: bytes, wanted: str) -> str:
    """Return why this key is not the one that is wanted; empty: it is."""
    try:
        found = fingerprints(packets)
    except KeyRefusedError as fault:
        return str(fault)
    if found == [wanted]:
        return ""
    return "its fingerprint is " + " and ".join(found)


def main() -> None:
    """Compare, download, compare again, write."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "fingerprint": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    url, path = module.params["url"], module.params["path"]
    wanted = module.params["fingerprint"].replace(" ", "").upper()
    if os.path.exists(path):
        with open(path, "rb") as file:
            if not refusal(file.read(), wanted):
                module.exit_json(changed=False, path=path)
    if module.check_mode:
        module.exit_json(changed=True, path=path)
    answer, about = fetch_url(module, url, timeout=LIMIT_S)
    if answer is None or about["status"] != 200:
        module.fail_json(msg=f"The key at {url} cannot be downloaded: {about['msg']}.")
    try:
        packets = binary(answer.read(LARGEST_BYTES))
    except KeyRefusedError as fault:
        module.fail_json(msg=f"What lies at {url} is not taken: {fault}.")
    reason = refusal(packets, wanted)
    if reason:
        module.fail_json(
            msg=f"The key at {url} is not taken: {reason}, and it has to be {wanted}. Nothing was "
            "changed. Somebody may be between you and the repository; where the owner has a new "
            "key, compare its fingerprint in another way before you write it into your site."
        )
    # apt reads it as a user of its own.
    write(Path(path), packets, 0o644)
    module.exit_json(changed=True, path=path)


if __name__ == "__main__":
    main()
