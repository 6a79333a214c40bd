"""What a role asks of the rules: the sentences that stop it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from synapse_host import rules
from synapse_host.read import read


def faults(
    raw: Mapping[str, Any], place: Literal["server", "gpu"], site: Mapping[str, Any]
) -> list[str]:
    """Return a sentence for each finding of the server or its GPU that stops a deployment.

    `raw` is what the module `host_facts` sent, `site` the variables that rules look at. Raises
    FactsError when the facts are not what the module sends.
    """
    return rules.stops(rules.of_role(place, read(raw), site))
