"""Put a verified release of K3s in place, whole; in steps that can be cut."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.synapse_k3s.fault import K3sError, told
from ansible.module_utils.synapse_k3s.place import Placing

DOCUMENTATION = r"""
module: k3s_place
short_description: Put a release of K3s in place
description:
  - Takes the release that k3s_download verified. Its program comes last.
  - What broke off between two steps is finished by the next run.
options:
  version: {type: str, required: true, description: Such as v1.30.0+k3s1.}
  architecture: {type: str, required: true, description: amd64 or arm64.}
  data_dir: {type: str, required: true, description: Folder of K3s' state.}
"""


def main() -> None:
    """Run as an Ansible module."""
    text = {"type": "str", "required": True}
    spec = {"version": text, "architecture": text, "data_dir": text}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    placing = Placing(module.params)
    try:
        placing.go(check=module.check_mode)
    except K3sError as fault:
        module.fail_json(msg=str(fault), done=placing.done)
    except OSError as fault:
        module.fail_json(msg=told(fault), done=placing.done)
    module.exit_json(changed=bool(placing.done), done=placing.done)


if __name__ == "__main__":
    main()
