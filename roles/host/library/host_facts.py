#!/usr/bin/python
"""Read everything that Synapse decides on from a server: system, disks, sockets, K3s and GPU."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.synapse_facts.everything import gather
from ansible.module_utils.synapse_facts.server import Server

DOCUMENTATION = """
module: host_facts
short_description: Read what Synapse decides on from a server, and change nothing
description:
  - Reads files below /proc, /sys, /etc, /run and /var, and asks a few programs, each with a limit.
  - What is missing is left out. What may not be read is named in C(unseen).
  - Tokens, passwords and addresses of databases do not leave the server.
options:
  root:
    description: The tree that is read. Programs are taken from it as well.
    type: path
    default: /
  folders:
    description: Folders whose disk is wanted, whatever kind of disk it is.
    type: list
    elements: path
    default: []
  limit_s:
    description: How long each program may take.
    type: int
    default: 20
"""
RETURN = """
facts:
  description: Has the shape of C(HostFacts), beside C(k3s.config_files), texts without secrets.
  returned: always
  type: dict
"""


def main() -> None:
    """Answer Ansible."""
    options = {
        "root": {"type": "path", "default": "/"},
        "folders": {"type": "list", "elements": "path", "default": []},
        "limit_s": {"type": "int", "default": 20},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    server = Server(module.params["root"], module.params["limit_s"])
    if os.geteuid():
        server.unseen.add("These facts were read without root, so some are missing.")
    module.exit_json(changed=False, facts=gather(server, module.params["folders"]))


if __name__ == "__main__":
    main()
