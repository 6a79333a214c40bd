"""Fetch a release of K3s into a folder of its own and verify it; nothing is put in place here."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.synapse_k3s.fault import K3sError
from ansible.module_utils.synapse_k3s.fetch import Release

DOCUMENTATION = r"""
module: k3s_download
short_description: Fetch and verify a release of K3s
description:
  - What lies in its place already, with the release's checksum, is not fetched.
  - A download that broke off is continued.
options:
  url: {type: str, required: true, description: Address of the releases, without the version.}
  version: {type: str, required: true, description: Such as v1.30.0+k3s1.}
  architecture: {type: str, required: true, description: amd64 or arm64.}
  data_dir: {type: str, required: true, description: Folder of K3s' state.}
  checksums_sha256: {type: str, default: '', description: Checksum of the file of checksums.}
  proxy: {type: str, required: true, description: "HTTP_PROXY and such as JSON; {}: none."}
  stall_s: {type: int, default: 60, description: Silence after which a download is given up.}
"""


def main() -> None:
    """Run as an Ansible module."""
    spec = {
        "url": {"type": "str", "required": True},
        "version": {"type": "str", "required": True},
        "architecture": {"type": "str", "required": True},
        "data_dir": {"type": "str", "required": True},
        "checksums_sha256": {"type": "str", "default": ""},
        "proxy": {"type": "str", "required": True, "no_log": True},
        "stall_s": {"type": "int", "default": 60},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    # Where urllib looks, and nobody else.
    os.environ.update(
        {name.lower(): one for name, one in json.loads(module.params["proxy"]).items()}
    )
    release = Release(module.params)
    try:
        if module.check_mode:
            missing = [name for name in release.places if not release.is_there(name)]
            told = [f"would fetch {release.url(name)}" for name in missing]
            module.exit_json(changed=bool(missing), done=told)
        for step in release.steps():
            step()
    except K3sError as fault:
        module.fail_json(msg=str(fault), done=release.changed)
    except OSError as fault:
        module.fail_json(msg=f"K3s was not fetched: {fault}. Nothing was put in place; run again.")
    module.exit_json(changed=bool(release.changed), done=release.changed)


if __name__ == "__main__":
    main()
