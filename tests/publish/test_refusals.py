"""Releases that must not be published: each is refused before anything reaches the Hub."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest

from fornet_hf.format.manifest import Manifest, ShardEntry, read_manifest, write_manifest
from fornet_hf.format.shards import PatchShard, write_shard
from tests.local_hub.fixtures import uploads
from tests.publish.conftest import NAME, TOKEN
from tests.publish.releases import ENCODING, Release, make_release

pytestmark = uploads


def rewrite(release: Release, change: Callable[[Manifest], Manifest]) -> None:
    write_manifest(release.patches, change(read_manifest(release.patches)))


def with_train(manifest: Manifest, entries: list[ShardEntry]) -> Manifest:
    return dataclasses.replace(manifest, splits={**manifest.splits, "train": tuple(entries)})


def replace_rows(release: Release, number: int, **changes: object) -> None:
    """Write a shard with every patch changed, and the manifest that fits it."""
    path = release.shard(number)
    shard = PatchShard(path, path.name)
    write_shard(path, [dataclasses.replace(shard[row], **changes) for row in range(len(shard))], ENCODING)
    entry = ShardEntry.of(release.patches, path.name, len(shard))

    def change(manifest: Manifest) -> Manifest:
        return with_train(manifest, [entry if e.path == entry.path else e for e in manifest.splits["train"]])

    rewrite(release, change)


def remove_a_shard(release):
    release.shard(1).unlink()
    return "train-00001-of-00003.parquet: the file is missing"


def forget_a_shard(release):
    release.shard(1).unlink()
    rewrite(release, lambda manifest: with_train(manifest, [manifest.splits["train"][i] for i in (0, 2)]))
    return "lacks 1 of 3 shards of train; found no train-00001-of-00003.parquet"


def add_a_shard(release):
    release.shard(0).with_name("extra.parquet").write_bytes(release.shard(0).read_bytes())
    return "does not name; found extra.parquet"


def flip_a_bit(release):
    data = bytearray(release.shard(2).read_bytes())
    data[len(data) // 2] ^= 1
    release.shard(2).write_bytes(data)
    return "train-00002-of-00003.parquet: not the file that the manifest describes"


def repeat_keys(release):
    path = release.shard(1)
    path.write_bytes(release.shard(0).read_bytes())
    entry = ShardEntry.of(release.patches, path.name, 3)
    rewrite(release, lambda m: with_train(m, [m.splits["train"][0], entry, m.splits["train"][2]]))
    return "train: 3 keys come in two shards; found train_0, train_1, train_2 in"


def count_wrong(release):
    def change(manifest):
        return with_train(manifest, [dataclasses.replace(e, rows=4) for e in manifest.splits["train"]])

    rewrite(release, change)
    return "another number of rows than the manifest says; found 3; allowed: 4"


def change_settings(release):
    encoding = dataclasses.replace(ENCODING, dilation=3)
    rewrite(release, lambda manifest: dataclasses.replace(manifest, encoding=encoding))
    return "made with other settings"


def use_an_unknown_label(release):
    replace_rows(release, 0, label=2)
    return "row 0 (train_0): label; found 2; allowed: 0 to 1"


def use_another_table(release):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = release.shard(0)
    pq.write_table(pa.table({"key": ["a", "b", "c"]}), path)
    entry = ShardEntry.of(release.patches, path.name, 3)
    rewrite(release, lambda m: with_train(m, [entry, *m.splits["train"][1:]]))
    return "not those of a patch shard"


def spoil_the_manifest(release):
    (release.patches / "manifest.json").write_text("{")
    return "not valid JSON"


def put_a_token_into_the_manifest(release):
    rewrite(release, lambda manifest: dataclasses.replace(manifest, producer={"login": "hf_" + "x" * 34}))
    return "patches/manifest.json, line"


BROKEN = [
    remove_a_shard,
    forget_a_shard,
    add_a_shard,
    flip_a_bit,
    repeat_keys,
    count_wrong,
    change_settings,
    use_an_unknown_label,
    use_another_table,
    spoil_the_manifest,
    put_a_token_into_the_manifest,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda f: f.__name__)
def test_what_is_not_sound_is_not_published(run, hub, release, capsys, broken):
    expected = broken(release)
    head = hub.head(NAME)
    assert run(release.patches) == 1
    assert expected in capsys.readouterr().err
    assert (hub.head(NAME), hub.uploads) == (head, [])


def test_a_patch_that_does_not_fit_its_source_is_found_by_applying_it(run, hub, release, capsys):
    replace_rows(release, 1, source_sha256=bytes(32))
    assert run(release.patches, "--source", str(release.imagenet)) == 1
    error = capsys.readouterr().err
    assert "train-00001-of-00003.parquet, row 0 (train_3): the source image is not the one" in error
    assert hub.uploads == []
    assert run(release.patches, "--dry-run") == 0


def test_all_problems_are_told_at_once(run, release, capsys):
    flip_a_bit(release)
    remove_a_shard(release)
    assert run(release.patches) == 1
    error = capsys.readouterr().err
    assert "the release has 2 problems" in error
    assert "train-00001" in error
    assert "train-00002" in error


def test_a_folder_without_manifest_gets_one_if_its_source_is_named(run, hub, tmp_path, capsys):
    release = make_release(tmp_path)
    (release.patches / "manifest.json").unlink()
    assert run(release.patches) == 1
    assert "--source-revision" in capsys.readouterr().err
    assert run(release.patches, "--source-revision", "abc123", "--source-repo", "me/pictures") == 0
    manifest = read_manifest(release.patches)
    assert (manifest.source, manifest.source_revision, manifest.encoding) == ("me/pictures", "abc123", ENCODING)
    assert manifest.splits["train"][1].source == "data/train-00001-of-00003.parquet"
    published = json.loads(hub.files(NAME)["patches/manifest.json"])
    assert published == manifest.to_json()


def test_a_folder_without_manifest_and_with_a_gap_is_refused(run, release, capsys):
    (release.patches / "manifest.json").unlink()
    release.shard(1).unlink()
    assert run(release.patches, "--source-revision", "abc123") == 1
    assert "1 of 3 shards missing" in capsys.readouterr().err


def test_a_message_with_a_token_is_refused_without_repeating_it(run, release, capsys):
    assert run(release.patches, "--message", f"with {TOKEN}") == 1
    error = capsys.readouterr().err
    assert "looks like an access token" in error
    assert TOKEN not in error


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--create-pr", "--tag", "v1"), "Tag the commit when the pull request is merged"),
        (("--message", " "), "the commit's message"),
        (("--sample", "0"), "patches to apply of each shard"),
        (("--revision", "nowhere"), "no such revision"),
        (("--picture", "nothing.jpg"), "the sample image is missing"),
    ],
)
def test_wrong_options_are_explained(run, release, capsys, options, expected):
    assert run(release.patches, *options) == 1
    assert expected in capsys.readouterr().err


def test_an_image_of_imagenet_among_the_documents_is_refused(run, release, tmp_path, monkeypatch, capsys):
    for name in (
        "ForNet.py",
        "fornet_hf/__init__.py",
        "requirements.txt",
        "dataset_card.md",
        "docs/n01440764_10026.JPEG",
    ):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text("")
    monkeypatch.setattr("publish.PROJECT", tmp_path / "project")
    assert run(release.patches) == 1
    assert "found docs/n01440764_10026.JPEG" in capsys.readouterr().err


def test_a_sample_image_of_imagenet_is_refused(run, hub, release, tmp_path, capsys):
    for name in ("n01440764_10026.JPEG", "n01440764/fish.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(next(release.imagenet.rglob("*.JPEG")).read_bytes())
        assert run(release.patches, "--image", str(path)) == 1
        assert "its terms forbid passing them on" in capsys.readouterr().err
    assert hub.uploads == []


def test_a_missing_folder_is_explained(run, tmp_path, capsys):
    assert run(tmp_path / "nowhere") == 1
    assert "the folder of patches is missing" in capsys.readouterr().err
