#!/usr/bin/python
"""Write down on the server what Synapse has to know of it later: /etc/synapse/server.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.synapse_files import write

DOCUMENTATION = """
module: server_record
short_description: Keep facts about a server on the server itself
description:
  - Sets keys of a JSON file that everybody may read, and leaves its other keys as they are.
  - The file is replaced in one step, so that a power cut leaves the old one or the new one.
options:
  values:
    description: Keys to set; a key whose value is null is taken out.
    type: dict
    required: true
  path:
    description: The file.
    type: path
    default: /etc/synapse/server.json
"""


def read(path: str) -> dict[str, Any]:
    """Return what is written down; nothing without a file. A damaged one is refused."""
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except FileNotFoundError:
        return {}
    if not isinstance(record, dict):
        raise ValueError("it is no mapping")
    return record


def text_of(record: dict[str, Any]) -> str:
    """Return a record as it stands in the file."""
    return json.dumps(record, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Answer Ansible."""
    options = {
        "values": {"type": "dict", "required": True},
        "path": {"type": "path", "default": "/etc/synapse/server.json"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    path = module.params["path"]
    try:
        before = read(path)
    except ValueError as fault:
        module.fail_json(
            msg=f"{path} is damaged ({fault}). Synapse wrote it to know whether this server was in "
            'use before; write {"was_lived_in": true} or false into it, then run this again.'
        )
    after = {**before, **module.params["values"]}
    after = {name: value for name, value in after.items() if value is not None}
    changed = after != before
    if changed and not module.check_mode:
        write(Path(path), text_of(after), 0o644)
    diff = {"before": text_of(before), "after": text_of(after), "before_header": path}
    module.exit_json(changed=changed, record=after, diff={**diff, "after_header": path})


if __name__ == "__main__":
    main()
