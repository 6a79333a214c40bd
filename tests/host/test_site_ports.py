"""What the site opens of its server, tried by real connections from two machines of its LAN."""

import pytest

from host_lab.lan import listening, reached
from host_lab.playing import Site
from host_lab.server import Server

# Open to everybody, and to one machine alone.
OWN, NAMED, API = 9100, 9101, 6443


@pytest.mark.long
def test_ports_and_clients_that_the_site_names_come_in_and_nobody_else(
    machine: Server, neighbour: Server, bare: Server, site: Site
) -> None:
    named = [neighbour.address()]
    with listening(machine, OWN, NAMED):
        told = site.play(
            "cluster.yml",
            synapse_open_ports=[{"port": OWN}, {"port": NAMED, "clients": named}],
            synapse_api_clients=named,
        )
        assert told.rc == 0, told.text
        open_to = {
            who.name: [port for port in (OWN, NAMED, API) if reached(who, machine, port)]
            for who in (neighbour, bare)
        }
        told = site.play("cluster.yml")
        assert told.rc == 0, told.text
        left = [port for port in (OWN, NAMED, API) if reached(neighbour, machine, port)]
    assert open_to == {neighbour.name: [OWN, NAMED, API], bare.name: [OWN]}
    assert left == []
