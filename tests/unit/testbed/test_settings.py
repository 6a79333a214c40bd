"""A testbed's name and ports come from the environment, and wrong ones are named."""

import socket
from pathlib import Path

import pytest

from synapse_testbed.commands import TestbedError
from synapse_testbed.node import check_ports
from synapse_testbed.settings import Settings, from_environment


def test_settings_have_defaults(tmp_path: Path) -> None:
    settings = from_environment({"HOME": str(tmp_path)})
    assert (settings.name, settings.gateway_port, settings.api_port) == ("forge", 8000, 6443)
    assert settings.kubeconfig == tmp_path / ".kube" / "synapse-forge.yaml"
    assert settings.cache == tmp_path / ".cache" / "synapse" / "testbed"


def test_settings_follow_the_user_cache_directory(tmp_path: Path) -> None:
    settings = from_environment({"HOME": "/nowhere", "XDG_CACHE_HOME": str(tmp_path)})
    assert settings.cache == tmp_path / "synapse" / "testbed"


def test_settings_tell_every_fault_at_once() -> None:
    env = {"SYNAPSE_TESTBED": "Not/A/Name", "SYNAPSE_PORT": "http", "SYNAPSE_API_PORT": "70000"}
    with pytest.raises(TestbedError) as fault:
        from_environment(env)
    for variable in env:
        assert variable in str(fault.value)


def test_settings_refuse_one_port_for_both() -> None:
    with pytest.raises(TestbedError, match="must differ"):
        from_environment({"SYNAPSE_PORT": "9000", "SYNAPSE_API_PORT": "9000"})


def test_taken_ports_are_named_with_their_variables(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        gateway, api = one.getsockname()[1], two.getsockname()[1]
        with pytest.raises(TestbedError) as fault:
            check_ports(Settings("forge", gateway, api, tmp_path, tmp_path / "config"))
    assert str(fault.value).splitlines() == [
        f"port {gateway} of 127.0.0.1 is taken by another program: set SYNAPSE_PORT to a free one",
        f"port {api} of 127.0.0.1 is taken by another program: set SYNAPSE_API_PORT to a free one",
    ]
