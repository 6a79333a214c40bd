"""What the roles of the services share: whole packages, and faults in the words of the role."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from synapse_common.reading import read
from synapse_common.strict import Count, Strict
from synapse_deploy.render import code as pods_code
from synapse_deploy.render import service


class Settings(Strict):
    """One number."""

    workers: Count


class Whole(Strict):
    """One section."""

    settings: Settings


OPTIONS = {"settings: ": "speech_"}


def check(written: object) -> object:
    return service.checked(lambda written: read(Whole, written), written, OPTIONS)


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


PACKAGES = (
    "synapse_arbiter",
    "synapse_common",
    "synapse_fetching",
    "synapse_gateway",
    "synapse_ollama",
    "synapse_speech",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_reaches_its_place_in_the_pod(package: str) -> None:
    folder = pods_code.FILES / package
    files = {
        str(file.relative_to(folder)): file.read_text()
        for file in folder.rglob("*")
        if file.suffix in pods_code.CODE
    }
    code = pods_code.code(package)
    volume = pods_code.code_volume(code, "code", "code-0123456789")
    assert volume["name"] == "code"
    assert volume["configMap"]["name"] == "code-0123456789"
    items = volume["configMap"].get("items", [{"key": key, "path": key} for key in code])
    assert {item["path"]: code[item["key"]] for item in items} == files
    assert "__init__.py" in files
    assert all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in code)
    assert sum(map(len, code.values())) < 500_000, "a ConfigMap holds one MiB"


def test_files_of_folders_keep_their_folders() -> None:
    volume = pods_code.code_volume({"main.py": "", "audio.queue.py": ""}, "code", "name")
    assert volume["configMap"]["items"] == [
        {"key": "main.py", "path": "main.py"},
        {"key": "audio.queue.py", "path": "audio/queue.py"},
    ]
