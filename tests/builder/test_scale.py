"""As many shards as ImageNet has, with two workers and little memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.prepare import SHARDS, prepare, write_release


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is looked up in /proc")
def test_many_shards_take_little_memory(tmp_path: Path) -> None:
    write_release(tmp_path, 3 * SHARDS)
    result = prepare(tmp_path, workers=2)
    assert result["rows"] == 3 * 308
    assert max(result["main_peak_mb"], result["worker_peak_mb"]) < 400
