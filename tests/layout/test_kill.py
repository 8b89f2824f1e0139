"""Applying that is killed before any of its file operations, and run again, gives what it gives undisturbed."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from tests.crashes import kill_everywhere
from tests.layout.conftest import names
from tests.release.legacy.test_apply import SAMPLE

FLAGS = {"folders": [], "zips": ["--zip"], "dataset": ["--datasets"]}


def same_files(found: Path, wanted: Path) -> None:
    assert names(found) == names(wanted)
    for name in names(wanted):
        assert (found / name).read_bytes() == (wanted / name).read_bytes(), name


def same_rows(found: Path, wanted: Path) -> None:
    assert sorted(path.name for path in found.iterdir()) == ["dataset_dict.json", "validation"]
    one, other = datasets.load_from_disk(str(found)), datasets.load_from_disk(str(wanted))
    assert list(one) == list(other)
    for split in other:
        assert one[split].data.table.equals(other[split].data.table)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FLAGS)
def test_killed_before_any_operation_it_ends_as_if_it_never_was(kind: str, tmp_path: Path) -> None:
    if not SAMPLE.is_dir():
        pytest.skip(f"no sample release at {SAMPLE}")

    def command(out: Path) -> list[str]:
        places = ["-p", str(SAMPLE / "hub"), "-in", str(SAMPLE / "imagenet"), "-o", str(out)]
        return ["apply", *places, "--split", "validation", *FLAGS[kind]]

    same = same_rows if kind == "dataset" else same_files
    assert kill_everywhere("fornet_hf.cli", command, tmp_path, same) > 20
