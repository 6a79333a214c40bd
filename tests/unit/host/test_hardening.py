"""What hardening writes keeps secrets out of the log and K3s' own pods running."""

from typing import Any

from synapse_host import hardening

CONFIG = hardening.config("/var/lib/rancher/k3s")


def rules_for(rules: list[dict[str, Any]], resource: str) -> list[dict[str, Any]]:
    """The rules that may catch a person's request for this resource."""
    return [
        rule
        for rule in rules
        if "users" not in rule
        and "nonResourceURLs" not in rule
        and any(
            resource in each["resources"]
            for each in rule.get("resources", [{"resources": [resource]}])
        )
    ]


def test_no_body_is_written_and_every_doing_of_a_person_is() -> None:
    rules = hardening.AUDIT_POLICY["rules"]
    assert {rule["level"] for rule in rules} == {"None", "Metadata"}
    for resource in ("secrets", "configmaps", "pods", "pods/exec"):
        assert rules_for(rules, resource)[0]["level"] == "Metadata"


def test_what_k3s_itself_changes_is_written_too() -> None:
    for rule in hardening.AUDIT_POLICY["rules"]:
        if "users" in rule:
            assert set(rule["verbs"]) == {"get", "list", "watch"}


def test_pods_of_k3s_are_exempt() -> None:
    security = hardening.ADMISSION["plugins"][0]["configuration"]
    assert security["exemptions"]["namespaces"] == ["kube-system"]


def test_what_limits_events_has_a_limit() -> None:
    """Without one the API server ends at its start: `limits: must not be empty`."""
    arguments = " ".join(CONFIG["kube-apiserver-arg"])
    plugins = {plugin["name"]: plugin for plugin in hardening.ADMISSION["plugins"]}
    assert "EventRateLimit" in arguments
    assert plugins["EventRateLimit"]["configuration"]["limits"]


def test_parts_add_up_and_each_says_what_it_changes() -> None:
    parts = hardening.parts("/srv/k3s")
    assert all(part.changes for part in parts)
    merged = hardening.config("/srv/k3s")
    assert merged["protect-kernel-defaults"] is True
    assert len(merged["kube-apiserver-arg"]) == 8
    assert "audit-policy-file=/srv/k3s/server/audit.yaml" in merged["kube-apiserver-arg"]
    assert "admission-control-config-file=/srv/k3s/server/psa.yaml" in merged["kube-apiserver-arg"]
