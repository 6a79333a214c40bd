"""Write the files of K3s and start it, or start it anew where a file changed; nothing else does."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.synapse_k3s.fault import K3sError, told
from ansible.module_utils.synapse_k3s.start import Starting, run_here

DOCUMENTATION = r"""
module: k3s_start
short_description: Write the files of K3s and start it
description:
  - K3s is restarted only where a file that it reads changed, and only where that is allowed.
  - What broke off between two steps is finished by the next run.
options:
  is_ours: {type: bool, required: true, description: Synapse installed K3s, and starts it.}
  may_restart: {type: bool, required: true, description: A changed file restarts it.}
  files: {type: list, elements: dict, required: true, description: Path, content, mode, restarts.}
  secret_files: {type: str, required: true, description: "The same as JSON, never shown."}
"""


def main() -> None:
    """Run as an Ansible module."""
    options = {
        "path": {"type": "str", "required": True},
        "content": {"type": "str"},
        "mode": {"type": "str", "default": ""},
        "restarts": {"type": "bool", "default": True},
    }
    files = {"type": "list", "elements": "dict", "required": True, "options": options}
    spec = {
        "is_ours": {"type": "bool", "required": True},
        "may_restart": {"type": "bool", "required": True},
        "files": files,
        # One text: of a list, Ansible would log each part.
        "secret_files": {"type": "str", "required": True, "no_log": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    made = Starting(module.params, Path("/"), run_here)
    try:
        made.go(check=module.check_mode)
    except K3sError as fault:
        module.fail_json(msg=str(fault), done=made.done)
    except OSError as fault:
        module.fail_json(msg=told(fault), done=made.done)
    module.exit_json(
        changed=bool(made.done),
        done=made.done,
        diff=made.diff,
        started="start k3s" in made.done,
    )


if __name__ == "__main__":
    main()
