"""Home Assistant's bridge on the running cluster: what it says, it understands again."""

import json
import re
import socket
import threading
from collections.abc import Iterator

import pytest

from synapse_cli.cluster import Cluster
from synapse_cli.port_forward import HOST, Forward
from synapse_common.secrets import BRIDGE_ENTRY
from synapse_testbed.podman import podman
from wyoming_bridge import Bridge

from .conftest import TESTBED, eventually, log_lines
from .recordings import SENTENCE, WORDS

PORT, NODE_PORT = 10300, 30300
PODS = "app.kubernetes.io/name=wyoming"
ASK = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as bridge:
    bridge.sendall(b'{"type": "describe"}\\n')
    print(bridge.makefile().readline())
"""


def dial(cluster: Cluster) -> socket.socket:
    """Connect to the bridge's pod of this moment."""
    (pod,) = cluster.pods(PODS)
    return cluster.dial(pod.metadata.name, PORT)


@pytest.fixture
def bridge(cluster: Cluster) -> Iterator[Bridge]:
    """The bridge, at a port of this machine that leads to its pod."""
    with Forward(0, lambda: dial(cluster)) as forward:
        serving = threading.Thread(target=forward.serve_forever, daemon=True)
        serving.start()
        yield Bridge(HOST, forward.server_address[1])
        forward.shutdown()


async def test_it_offers_what_the_site_has(bridge: Bridge) -> None:
    info = await bridge.describe()
    models = [model.name for program in info.asr for model in program.models]
    voices = [voice.name for program in info.tts for voice in program.voices]
    assert (models, voices) == (["listener"], ["alloy", "thorsten"])


async def test_what_the_bridge_says_it_understands_again(bridge: Bridge, cluster: Cluster) -> None:
    said = await bridge.speak(SENTENCE, "alloy")
    assert 1 < said.seconds < 4
    heard = await bridge.transcribe(said, language="en")
    assert len(WORDS & set(re.findall(r"\w+", heard.lower()))) >= 3, heard

    def told() -> bool:
        lines = [line for line in log_lines(cluster) if line["app"] == BRIDGE_ENTRY]
        return {"speech", "transcription"} <= {line["kind"] for line in lines}

    eventually(told, limit_s=10, what="a line for each way")


async def test_an_answer_is_spoken_sentence_by_sentence(bridge: Bridge) -> None:
    whole = await bridge.speak(SENTENCE, "alloy")
    pieces = await bridge.speak_pieces([f"{SENTENCE} The cat ", "sat on the mat."], "alloy")
    assert pieces.rate == whole.rate
    assert pieces.seconds > 1.5 * whole.seconds


def test_its_service_leads_to_it(cluster: Cluster) -> None:
    (node,) = cluster.core.list_node().items
    (address,) = [one.address for one in node.status.addresses if one.type == "InternalIP"]
    told = podman("exec", TESTBED, "python3", "-c", ASK, address, str(NODE_PORT))
    assert json.loads(told)["type"] == "info", told
