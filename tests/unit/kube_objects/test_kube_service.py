"""What the roles of the services share: whole packages, and faults in the words of the role."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

import kube_service
from synapse_common.reading import read
from synapse_common.strict import Count, Strict


class Settings(Strict):
    """One number."""

    workers: Count


class Whole(Strict):
    """One section."""

    settings: Settings


OPTIONS = {"settings: ": "speech_"}


def check(written: object) -> object:
    return kube_service.checked(lambda written: read(Whole, written), written, OPTIONS)


def test_a_good_configuration_comes_back_as_it_was() -> None:
    written = {"settings": {"workers": 2}}
    assert check(written) is written


def test_every_fault_is_told_by_the_roles_option() -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        check({"settings": {"workers": 0}, "folder": 1})
    assert str(refused.value).splitlines() == [
        "speech_workers must be at least 1, not 0",
        'unknown key "folder"; it may have settings',
    ]


@pytest.mark.parametrize(
    "package",
    ["synapse_arbiter", "synapse_common", "synapse_fetching", "synapse_gateway", "synapse_speech"],
)
def test_the_code_holds_a_whole_package(package: str) -> None:
    code = kube_service.code(package)
    (folder,) = kube_service.FILES.glob(f"*/{package}")
    assert set(code) >= {file.name for file in folder.glob("*.py")} >= {"__init__.py"}
    assert sum(map(len, code.values())) < 500_000, "a ConfigMap holds one MiB"
