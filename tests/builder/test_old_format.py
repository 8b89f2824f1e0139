"""Repositories that still hold zips of the old format."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf import load_dataset
from fornet_hf.classes import wnid_index
from fornet_hf.errors import NotFoundError, UnreachableError
from fornet_hf.hub.location import Folder
from fornet_hf.release.release import open_release
from tests.builder.rows import described, from_row
from tests.builder.user import WAYS, User
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET, IMAGENET, ROOT
from tests.release.legacy.test_apply import SAMPLE, needs_sample

OLD = "someone/ForNet"
SHARDS = {"train": 2, "validation": 1}
pytestmark = needs_sample


def images(split: str) -> list[Path]:
    """Sources of a split, in a mixed order as on the Hub."""
    found = sorted((SAMPLE / "imagenet" / {"train": "train", "validation": "val"}[split]).glob("*/*.JPEG"))
    return sorted(found, key=lambda path: path.stem[::-1])


def shard(paths: list[Path]) -> bytes:
    rows = [{"bytes": path.read_bytes(), "path": f"{path.stem}_{path.parent.name}.JPEG"} for path in paths]
    image = pa.array(rows, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    labels = pa.array([wnid_index()[path.parent.name] for path in paths], pa.int64())
    buffer = io.BytesIO()
    pq.write_table(pa.table({"image": image, "label": labels}), buffer)
    return buffer.getvalue()


def expected(split: str) -> list[dict]:
    """The rows of the folder, in the order of the Hub's shards."""
    units = open_release(Folder(SAMPLE / "hub")).units(split, Folder(SAMPLE / "imagenet"))
    rows = {row.key: from_row(row) for unit in units for row in unit.rows()}
    return [rows[path.stem] for path in images(split)]


def without_the_last(archive: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(buffer, "w") as part:
        for name in [name for name in whole.namelist() if name[-1] != "/"][:-1]:
            part.writestr(name, whole.read(name))
    return buffer.getvalue()


@pytest.fixture
def old(published: Hub) -> Hub:
    """The same Hub with an old release and the sources of its images."""
    files = {
        f"data/{split}-{n:05d}-of-{count:05d}.parquet": shard(images(split)[n::count] if count == 1 else part)
        for split, count in SHARDS.items()
        for n, part in enumerate((images(split)[:5], images(split)[5:])[:count])
    }
    stale = [path for path in published.files(IMAGENET) if path.startswith("data/")]
    published.commit(IMAGENET, files, delete=stale)
    release = {path.name: path for path in (SAMPLE / "hub").iterdir()}
    published.commit(OLD, {**release, "ForNet.py": ROOT / "ForNet.py"})
    published.forget()
    return published


@pytest.mark.parametrize("way", WAYS)
def test_it_loads_from_the_sources_shards(alice: User, old: Hub, way: str) -> None:
    loads = [(way, {"path": OLD}), (way, {"path": OLD, "split": "train", "streaming": True})]
    everything, streamed = alice.run(*loads)
    assert everything == {split: expected(split) for split in SHARDS}
    assert streamed == everything["train"]
    offline = User(old, alice.home, variables={"HF_HUB_OFFLINE": "1"})
    old.forget()
    assert offline.load(way, path=OLD) == everything
    assert old.requests == []


@pytest.mark.parametrize("streaming", [False, True])
def test_it_loads_from_a_folder(here: Path, old: Hub, streaming: bool) -> None:
    rows = load_dataset(OLD, split="train", cache_dir=here, imagenet_dir=SAMPLE / "imagenet", streaming=streaming)
    assert sorted(described(rows), key=str) == sorted(expected("train"), key=str)
    assert not old.asked("imagenet-1k")


def test_only_the_zips_of_the_split_are_fetched(here: Path, old: Hub) -> None:
    load_dataset(OLD, split="validation", cache_dir=here)
    assert {record.path.rpartition("/")[2] for record in old.asked(r"\.(zip|parquet)", "GET")} == {
        "val.zip",
        "validation-00000-of-00001.parquet",
    }


def test_a_change_of_other_files_prepares_nothing_again(here: Path, old: Hub) -> None:
    first = load_dataset(OLD, split="validation", cache_dir=here)
    old.commit(OLD, {"README.md": b"More words"})
    old.forget()
    again = load_dataset(OLD, split="validation", cache_dir=here)
    assert again.cache_files == first.cache_files
    assert old.asked(r"\.zip") == []


def test_a_change_of_the_zips_is_a_new_release(here: Path, old: Hub) -> None:
    first = load_dataset(OLD, split="validation", cache_dir=here)
    old.commit(OLD, {"val.zip": without_the_last(SAMPLE / "hub" / "val.zip")})
    assert len(load_dataset(OLD, split="validation", cache_dir=here)) == len(first) - 1
    old.commit(OLD, {"val.zip": SAMPLE / "hub" / "val.zip"})
    assert load_dataset(OLD, split="validation", cache_dir=here).cache_files == first.cache_files


def test_a_image_that_no_shard_has_is_an_error(here: Path, old: Hub) -> None:
    gone, *rest = images("train")
    old.commit(IMAGENET, {"data/train-00000-of-00002.parquet": shard(rest[:4])})
    with pytest.raises(NotFoundError, match=f"{gone.stem}.*its image is in no shard of the source"):
        load_dataset(OLD, split="train", cache_dir=here)
    assert len(list(load_dataset(OLD, split="train", cache_dir=here, streaming=True))) == len(images("train")) - 1


def test_one_split_that_was_loaded_once_loads_offline(alice: User, old: Hub) -> None:
    first = alice.load(path=OLD, split="train", imagenet_dir=str(SAMPLE / "imagenet"))
    offline = User(old, alice.home, variables={"HF_HUB_OFFLINE": "1"})
    old.forget()
    assert offline.load(path=OLD, split="train", imagenet_dir=str(SAMPLE / "imagenet")) == first
    assert old.requests == []
    assert len({path.parent for path in alice.home.rglob("*.arrow")}) == 1


def fail(hub: Hub, path: str, status: int = 503) -> None:
    hub.inject(Fault("status", path, method="", status=status, times=None))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("listing", ["/tree/", "/api/"])
def test_after_an_interrupted_download_no_part_is_taken_for_the_whole(here: Path, old: Hub, listing: str) -> None:
    fail(old, r"train_1\.zip")
    with pytest.raises(UnreachableError, match=r"train_1\.zip"):
        load_dataset(OLD, split="train", cache_dir=here, imagenet_dir=SAMPLE / "imagenet")
    fail(old, listing)
    with pytest.raises(UnreachableError, match=r"train_1\.zip"):
        load_dataset(OLD, split="train", cache_dir=here, imagenet_dir=SAMPLE / "imagenet")
    old.faults.clear()
    fail(old, listing)
    rows = load_dataset(OLD, split="train", cache_dir=here, imagenet_dir=SAMPLE / "imagenet")
    assert len(rows) == len(expected("train"))


@pytest.mark.usefixtures("quick")
def test_a_cache_of_which_nobody_knows_whether_it_is_complete_is_refused(here: Path, old: Hub) -> None:
    huggingface_hub.snapshot_download(OLD, repo_type="dataset", ignore_patterns="train_1.zip")
    fail(old, "")
    with pytest.raises(UnreachableError, match=r"load it once with the network, or give patches= the folder"):
        load_dataset(OLD, split="train", cache_dir=here, imagenet_dir=SAMPLE / "imagenet")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [503, 429])
def test_old_zips_do_not_stand_in_for_a_manifest_that_cannot_be_had(here: Path, old: Hub, status: int) -> None:
    old.commit(FORNET, {path.name: path for path in (SAMPLE / "hub").iterdir()})
    fail(old, r"patches/manifest\.json", status)
    with pytest.raises(UnreachableError, match=r"^patches/manifest\.json of TNauen/ForNet"):
        load_dataset(FORNET, split="validation", cache_dir=here, imagenet_dir=SAMPLE / "imagenet")
    assert old.asked(r"\.zip") == []


@pytest.mark.usefixtures("quick")
def test_where_there_is_no_manifest_the_zips_need_none(here: Path, old: Hub) -> None:
    fail(old, r"manifest\.json")
    assert len(load_dataset(OLD, split="validation", cache_dir=here)) == len(expected("validation"))


def test_other_ratios_are_a_new_release(here: Path, old: Hub) -> None:
    first = load_dataset(OLD, split="validation", cache_dir=here)
    ratios = (SAMPLE / "hub" / "fg_bg_ratios_val.json").read_text()
    old.commit(OLD, {"fg_bg_ratios_val.json": ratios.replace("0.2", "0.3").encode()})
    again = load_dataset(OLD, split="validation", cache_dir=here)
    assert again["foreground_ratio"][:] != first["foreground_ratio"][:]


def test_rows_of_other_images_are_kept_apart(here: Path, old: Hub, tmp_path: Path) -> None:
    """Patches of the old format do not tell a wrong image."""
    shutil.copytree(SAMPLE / "imagenet" / "val", tmp_path / "wrong" / "val", copy_function=shutil.copyfile)
    files = sorted((tmp_path / "wrong").rglob("*.JPEG"))
    data = files[0].read_bytes()
    for path in files:
        path.write_bytes(data)
    load_dataset(OLD, split="validation", cache_dir=here, imagenet_dir=tmp_path / "wrong")
    rows = load_dataset(OLD, split="validation", cache_dir=here, imagenet_dir=SAMPLE / "imagenet")
    assert sorted(described(rows), key=str) == sorted(expected("validation"), key=str)
    assert described(load_dataset(OLD, split="validation", cache_dir=here)) == expected("validation")
    (tmp_path / "wrong").rename(tmp_path / "gone")  # what is prepared needs no images
    load_dataset(OLD, split="validation", cache_dir=here, imagenet_dir=tmp_path / "wrong")


def test_other_files_of_the_source_do_not_make_other_rows(here: Path, old: Hub) -> None:
    first = load_dataset(OLD, split="validation", cache_dir=here)
    old.commit(IMAGENET, {"README.md": b"mended"})
    assert load_dataset(OLD, split="validation", cache_dir=here).cache_files == first.cache_files
