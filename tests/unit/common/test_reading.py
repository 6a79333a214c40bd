"""A file is read whole and strictly; what is wrong is told all at once, the rules' faults too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_common.reading import ConfigError, load, read
from synapse_common.strict import Listed, Port, Strict


class Server(Strict):
    """A port, and others that must not be it."""

    port: Port
    others: Listed[Port] = ()


def distinct(data: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for place, other in enumerate(data.get("others", [])):
        if other == data.get("port"):
            yield ("others", place), "is the port itself"


def test_rules_speak_even_where_the_shape_is_wrong() -> None:
    with pytest.raises(ConfigError) as refused:
        read(Server, {"port": 0, "others": [1, 0], "x": 1}, distinct)
    assert refused.value.faults == [
        "port must be at least 1, not 0",
        "others: entry 2 must be at least 1, not 0",
        'unknown key "x"; it may have port or others',
        "others: entry 2 is the port itself",
    ]
    assert str(refused.value) == "\n".join(refused.value.faults)
    assert refused.value.found[1].path == ("others", 1)
    assert read(Server, {"port": 1, "others": [2]}, distinct) == Server(port=1, others=(2,))


def test_a_file_that_is_missing_or_no_yaml_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yml: cannot be read: No such file"):
        load(tmp_path / "missing.yml")
    path = tmp_path / "server.yml"
    for unreadable in (b"port: [", b"port: \xff", b"port: \x00"):
        path.write_bytes(unreadable)
        with pytest.raises(ConfigError, match=r"server\.yml: is not valid YAML"):
            load(path)
    path.write_text("port: 8000")
    assert load(path) == {"port": 8000}
