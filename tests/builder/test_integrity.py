"""Files that are not what the release says: refused by name, never passed on."""

from __future__ import annotations

import io
from pathlib import Path

import huggingface_hub
import pyarrow.parquet as pq
import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import ForNetError, IntegrityError, NotFoundError
from tests.builder.rows import described, made_directly
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET, IMAGENET, source_shard

PATCHES = "train-00001-of-00003.parquet"


def altered(data: bytes, place: int) -> bytes:
    """With one bit of byte `place` inverted."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def inside_a_image() -> int:
    """Where a bit of `source_shard("train", 1)` can be inverted so that only an image with a patch changes."""
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


def places(size: int) -> list[int]:
    """Where bits are inverted: in the head, in the data, in the footer."""
    return [0, size // 3, size // 2, size - 300, size - 2]


FILES = {
    "patches": f"TNauen/ForNet/resolve/.*patches/{PATCHES}",
    "pictures": f"imagenet-1k/resolve/.*{PATCHES}",
    "manifest": r"patches/manifest\.json",
}


def data_of(hub: Hub, name: str) -> bytes:
    if name == "pictures":
        return hub.files(IMAGENET)[f"data/{PATCHES}"]
    return hub.files(FORNET)[f"patches/{PATCHES}" if name == "patches" else "patches/manifest.json"]


@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize("name", FILES)
def test_a_bit_that_is_lost_on_the_way_is_fetched_again(here: Path, published: Hub, name: str, place: int) -> None:
    after = places(len(data_of(published, name)))[place]
    fault = published.inject(Fault("flip", FILES[name], after=after))
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")
    assert fault.hits == 1
    assert len(published.asked(FILES[name], "GET")) == 2
    published.forget()
    assert len(load_dataset(FORNET, split="train", cache_dir=here, imagenet_repo=IMAGENET)) == 12
    assert published.asked(r"resolve", "GET") == []


@pytest.mark.parametrize(("place", "workers"), [(1, "1"), (2, "2"), (4, "2")])
@pytest.mark.parametrize("name", FILES)
def test_a_bit_that_was_lost_in_the_cache_is_fetched_again(
    here: Path, published: Hub, hub_home: Path, monkeypatch, name: str, place: int, workers: str
) -> None:
    monkeypatch.setenv("MAX_WORKERS", workers)
    load_dataset(FORNET, split="train", cache_dir=here / "before")
    good = data_of(published, name)
    (file,) = {path.resolve() for path in hub_home.rglob("*") if path.is_file() and path.read_bytes() == good}
    file.write_bytes(altered(good, places(len(good))[place]))
    published.forget()
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")
    if name != "pictures" or place == 4:  # else it may be an image that has no patch
        assert len(published.asked(FILES[name], "GET")) == 1
        assert file.read_bytes() == good
    assert len(published.asked("resolve", "GET")) <= 1


def test_a_bit_of_a_image_in_the_cache(here: Path, published: Hub, hub_home: Path) -> None:
    load_dataset(FORNET, split="train", cache_dir=here / "before")
    good = data_of(published, "pictures")
    (file,) = {path.resolve() for path in hub_home.rglob("*") if path.is_file() and path.read_bytes() == good}
    file.write_bytes(altered(good, inside_a_image()))
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")
    assert file.read_bytes() == good


@pytest.mark.parametrize("name", FILES)
def test_what_is_damaged_each_time_is_named(here: Path, published: Hub, name: str) -> None:
    fault = published.inject(Fault("flip", FILES[name], after=len(data_of(published, name)) // 2, times=None))
    with pytest.raises(IntegrityError, match=r"\.(parquet|json) of .* downloaded twice, it is not the file"):
        load_dataset(FORNET, split="train", cache_dir=here)
    assert fault.hits == 2
    published.faults.clear()
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("patches", f"{PATCHES}: not the file that the manifest describes"),
        ("manifest", r"manifest\.json of TNauen/ForNet is damaged in the cache.*Load it once with the network"),
        ("pictures", PATCHES),
    ],
)
def test_without_the_network_damage_is_named(
    here: Path, published: Hub, hub_home: Path, monkeypatch, name: str, says: str
) -> None:
    load_dataset(FORNET, split="train", cache_dir=here / "before")
    good = data_of(published, name)
    (file,) = {path.resolve() for path in hub_home.rglob("*") if path.is_file() and path.read_bytes() == good}
    file.write_bytes(altered(good, inside_a_image() if name == "pictures" else 100))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(IntegrityError, match=says):
        load_dataset(FORNET, split="train", cache_dir=here)


@pytest.mark.parametrize("path", [f"patches/{PATCHES}", f"data/{PATCHES}"])
def test_a_bit_in_a_stream(here: Path, published: Hub, path: str) -> None:
    after = inside_a_image() if "data/" in path else 3000
    fault = published.inject(Fault("flip", path, after=after, times=None))
    with pytest.raises(ForNetError, match=PATCHES):
        list(load_dataset(FORNET, split="train", streaming=True))
    once = published.inject(Fault("flip", path, after=after))
    fault.times = 0
    assert described(load_dataset(FORNET, split="train", streaming=True)) == made_directly("train")
    assert once.hits == 1


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
    with pytest.raises(NotFoundError, match=r"train-00000-of-00003\.parquet.*: 4 of its 4 images are not in"):
        load_dataset(FORNET, split="train", cache_dir=here, imagenet_repo="someone/shuffled")


def test_the_source_at_the_revision_that_the_release_names(here: Path, published: Hub) -> None:
    everything = [path for path in published.files(IMAGENET) if path.startswith("data/")]
    published.commit(IMAGENET, {"README.md": b"sharded anew"}, delete=everything)
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")
