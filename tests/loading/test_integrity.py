"""Files that are not what the release says: refused by name, never passed on."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import ForNetError, IntegrityError, NotFoundError
from tests.hub.faults import Fault
from tests.hub.state import Hub
from tests.loading.rows import described, made_directly
from tests.published import FORNET, IMAGENET, source_shard

PATCHES = "train-00001-of-00003.parquet"


def altered(data: bytes, place: int) -> bytes:
    """With one bit of byte `place` inverted."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def inside_a_picture() -> int:
    """Where a bit of `source_shard("train", 1)` can be inverted so that only a picture with a patch changes."""
    data = source_shard("train", 1)
    keep = pq.read_table(io.BytesIO(data))["image"].to_pylist()
    for place in range(1000, len(data)):
        try:
            found = pq.read_table(io.BytesIO(altered(data, place)))["image"].to_pylist()
        except (OSError, ValueError):
            continue
        if found[:4] != keep[:4]:
            return place
    raise AssertionError


@pytest.mark.parametrize("place", [100, -300])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_bit_of_a_patch_shard(here: Path, published: Hub, monkeypatch, place: int, workers: str) -> None:
    monkeypatch.setenv("MAX_WORKERS", workers)
    path = f"patches/{PATCHES}"
    good = published.files(FORNET)[path]
    place %= len(good)
    published.commit(FORNET, {path: altered(good, place)})
    with pytest.raises(IntegrityError, match=rf"{PATCHES}: not the file that the manifest describes; found .*sha256"):
        load_dataset(FORNET, split="train", cache_dir=here)
    assert not list(here.rglob("*.arrow"))
    published.commit(FORNET, {path: good})
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")


def test_a_bit_that_is_lost_on_the_way(here: Path, published: Hub) -> None:
    fault = published.inject(Fault("flip", rf"patches/{PATCHES}", after=100))
    with pytest.raises(IntegrityError, match=PATCHES) as caught:
        load_dataset(FORNET, split="train", cache_dir=here)
    assert fault.hits == 1
    assert Path(re.search("delete (.*) and load once more", str(caught.value))[1]).is_file()
    rows = load_dataset(FORNET, split="train", cache_dir=here, download_mode="force_redownload")
    assert described(rows) == made_directly("train")


def test_a_bit_of_a_picture(here: Path, published: Hub) -> None:
    fault = published.inject(Fault("flip", rf"imagenet-1k/resolve/.*{PATCHES}", after=inside_a_picture()))
    with pytest.raises(IntegrityError, match=rf"{PATCHES}, row \d .*not the one this patch was made from") as caught:
        load_dataset(FORNET, split="train", cache_dir=here)
    assert fault.hits == 1
    damaged = re.search("If the download was damaged: delete (.*) and load once more", str(caught.value))
    Path(damaged[1]).unlink()
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")


@pytest.mark.parametrize("path", [f"patches/{PATCHES}", f"data/{PATCHES}"])
def test_a_bit_in_a_stream(here: Path, published: Hub, path: str) -> None:
    published.inject(Fault("flip", path, after=inside_a_picture() if "data/" in path else 3000, times=None))
    with pytest.raises(ForNetError, match=PATCHES):
        list(load_dataset(FORNET, split="train", streaming=True))


def test_a_source_that_was_sharded_anew(here: Path, published: Hub) -> None:
    """The revision in the manifest is gone, say; a mirror has other shards."""
    files = {f"data/train-{n:05d}-of-00002.parquet": source_shard("train", n) for n in range(2)}
    published.commit("someone/mirror", files)
    with pytest.raises(NotFoundError) as caught:
        load_dataset(FORNET, split="train", cache_dir=here, imagenet_repo="someone/mirror")
    assert "someone/mirror is not the source that this release names" in str(caught.value)
    assert "It may have been re-sharded since" in str(caught.value)
    shuffled = {f"data/train-{n:05d}-of-00003.parquet": source_shard("train", 2 - n) for n in range(3)}
    published.commit("someone/shuffled", shuffled)
    with pytest.raises(NotFoundError, match=r"train-00000-of-00003\.parquet.*: 4 of its 4 pictures are not in"):
        load_dataset(FORNET, split="train", cache_dir=here, imagenet_repo="someone/shuffled")


def test_the_source_at_the_revision_that_the_release_names(here: Path, published: Hub) -> None:
    everything = [path for path in published.files(IMAGENET) if path.startswith("data/")]
    published.commit(IMAGENET, {"README.md": b"sharded anew"}, delete=everything)
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")
