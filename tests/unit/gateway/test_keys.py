"""Keys are found by what they are, and change when their files do."""

from __future__ import annotations

from pathlib import Path

from synapse_gateway.keys import KeyRing


def test_a_key_names_its_application(tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("sk-synapse-agents-1\n")
    (tmp_path / "empty").write_text("")
    ring = KeyRing(tmp_path)
    assert ring.app_of("sk-synapse-agents-1") == "agents"
    assert ring.app_of("sk-synapse-agents-2") is None
    assert ring.app_of("") is None


def test_rotated_and_removed_keys_follow_a_refresh(tmp_path: Path) -> None:
    # Like a mounted Secret: each state is a folder of its own and a link swaps them.
    for state, files in {"a": {"x": "k1", "y": "k2"}, "b": {"x": "k3"}}.items():
        (tmp_path / f"..{state}").mkdir()
        for name, key in files.items():
            (tmp_path / f"..{state}" / name).write_text(key)
    link = tmp_path / "keys"
    link.symlink_to("..a")
    ring = KeyRing(link)
    assert [ring.app_of(key) for key in ("k1", "k2", "k3")] == ["x", "y", None]
    link.unlink()
    link.symlink_to("..b")
    ring.refresh()
    assert [ring.app_of(key) for key in ("k1", "k2", "k3")] == [None, None, "x"]
