"""What is written down on the server is read again, or is said to be damaged."""

from pathlib import Path

import pytest

from role_modules import module


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "synapse/server.json"


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_damaged_record_is_not_taken_for_none(path: Path, text: str) -> None:
    record = module("host", "server_record")
    assert record.read(str(path)) == {}
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match=r"mapping|Expecting"):
        record.read(str(path))


def test_a_record_of_nothing_is_read_again(path: Path) -> None:
    record = module("host", "server_record")
    path.parent.mkdir()
    path.write_text(record.text_of({}))
    assert record.read(str(path)) == {}
