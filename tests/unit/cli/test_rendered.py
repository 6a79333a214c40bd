"""What `make render` leaves behind: manifests by group, configuration as plain files."""

from pathlib import Path

from synapse_cli.rendered import arrange, objects

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: space\n"
CONFIG = """---
apiVersion: v1
kind: ConfigMap
metadata:
  name: gateway-files-0123456789
data:
  gateway.yaml: |
    port: 8000
  start.py: "print()"
"""


def test_objects_lie_by_group_and_configuration_in_plain_files(tmp_path: Path) -> None:
    (tmp_path / "namespace.yaml").write_text(NAMESPACE)
    (tmp_path / "litellm.yaml").write_text(CONFIG)
    said = arrange(tmp_path)
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*")}
    assert written == {
        "manifests/infra/namespace.yaml", "manifests/apps/litellm.yaml", "config/gateway.yaml"
    }  # fmt: skip
    assert (tmp_path / "manifests/apps/litellm.yaml").read_text() == CONFIG
    assert (tmp_path / "config/gateway.yaml").read_text() == "port: 8000\n"
    assert said == [
        f"{tmp_path}/config/: gateway.yaml",
        f"{tmp_path}/manifests/apps/: litellm.yaml",
        f"{tmp_path}/manifests/infra/: namespace.yaml",
    ]
    assert [found["kind"] for found in objects(tmp_path)] == ["ConfigMap", "Namespace"]
