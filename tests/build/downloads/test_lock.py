"""Notes of several commands that fetch into one folder are all kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from producers.downloads import lock
from producers.downloads.lock import Fetched, Lock

SOMETHING = Fetched(address="https://a.example/a", path="a", bytes=1, digest="0" * 64)


def test_another_command_that_notes_meanwhile_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    write, alone = lock.write_text, lock.alone

    def written(path: Path, text: str) -> None:
        with pytest.raises(lock.ConfigurationError, match="taken"), alone(tmp_path / ".downloads.json.lock", "taken"):
            pass
        held.append(path.name)
        write(path, text)

    monkeypatch.setattr(lock, "write_text", written)
    for name in ("one", "two"):
        Lock(tmp_path).note(name, SOMETHING)
    assert held == ["downloads.json"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["downloads.json"]
    assert Lock(tmp_path).read() == {"one": SOMETHING, "two": SOMETHING}
