"""`build/publish.py` against the test Hub, with the real client."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fornet_hf.hub.location import Place
from fornet_hf.release.statistics import STATISTICS
from fornet_hf.release.verify import verify
from tests.local_hub.faults import Fault
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Options
from tests.publish.conftest import NAME, TOKEN
from tests.publish.releases import as_parquet, make_release

pytestmark = uploads


def files_below(folder: Path, prefix: str) -> dict[str, bytes]:
    return {f"{prefix}{path.name}": path.read_bytes() for path in folder.iterdir()}


def lfs_paths(hub):
    return [path for path in hub.uploaded(NAME) if path.endswith(".parquet")]


def test_a_release_arrives_whole_and_in_one_commit(run, hub, release):
    before = hub.head(NAME)
    assert run(release.patches, "--source", str(release.imagenet)) == 0
    found = hub.files(NAME)
    for path, data in files_below(release.patches, "patches/").items():
        assert found[path] == data
    assert {"ForNet.py", "README.md", "requirements.txt", "fornet_hf/__init__.py"} <= set(found)
    assert not [path for path in found if "__pycache__" in path or path.startswith(("tests", "build"))]
    assert hub.history(NAME)[0].parent == before


def test_what_arrived_is_sound(run, hub, release):
    run(release.patches)
    from huggingface_hub import HfApi

    verdict = verify(
        Place.of_repository(HfApi(endpoint=hub.url), NAME, hub.head(NAME)), imagenet_dir=release.imagenet
    )
    assert (verdict.problems, verdict.shards, verdict.rows, verdict.applied) == ((), 4, 12, 12)


def test_a_second_release_uploads_only_the_shards_that_changed(run, hub, release, tmp_path):
    run(release.patches)
    hub.forget()
    second = make_release(tmp_path / "second", changed={0, 2})
    assert run(second.patches) == 0
    assert lfs_paths(hub) == ["patches/train-00000-of-00003.parquet", "patches/train-00002-of-00003.parquet"]
    assert hub.files(NAME)["patches/train-00000-of-00003.parquet"] == second.shard(0).read_bytes()


def test_the_same_release_again_changes_nothing(run, hub, release, capsys):
    run(release.patches)
    head = hub.head(NAME)
    hub.forget()
    assert run(release.patches) == 0
    assert (hub.head(NAME), hub.uploads, hub.asked("/commit/", "POST")) == (head, [], [])
    assert f"was there already: {NAME}@{head}" in capsys.readouterr().out


def test_shards_and_code_of_the_last_release_are_deleted_and_nothing_else(run, hub, release, tmp_path):
    old = {"patches/old.parquet": b"PAR1", "fornet_hf/gone.py": b"", "train_0.zip": b"PK", "notes.txt": b"n"}
    hub.commit(NAME, old)
    run(make_release(tmp_path / "two", shards=2).patches)
    run(release.patches)
    found = set(hub.files(NAME))
    assert {"train_0.zip", "notes.txt"} <= found
    gone = {"patches/old.parquet", "fornet_hf/gone.py", "patches/train-00000-of-00002.parquet"}
    assert not gone & found
    run(release.patches, "--remove", "*.zip")
    assert set(hub.files(NAME)) == found - {"train_0.zip"}


def test_a_dry_run_prints_the_plan_and_changes_nothing(run, hub, release, capsys):
    hub.commit(NAME, {"README.md": b"old", "patches/old.parquet": b"PAR1", "ForNet.py": Path("ForNet.py")})
    head = hub.head(NAME)
    before = files_below(release.patches, "")
    assert run(release.patches, "--dry-run") == 0
    out = capsys.readouterr().out
    size = release.shard(0).stat().st_size
    assert f"new       {size:>14,}  patches/train-00000-of-00003.parquet" in out
    assert "README.md" in out.split("changed", 1)[1].splitlines()[0]
    assert "deleted                4  patches/old.parquet" in out
    assert "ForNet.py" not in out
    assert (hub.head(NAME), hub.uploads, files_below(release.patches, "")) == (head, [], before)


def test_a_pull_request_leaves_the_branch_alone_and_is_found_again(run, hub, release, capsys):
    head = hub.head(NAME)
    for _ in range(2):
        assert run(release.patches, "--create-pr", "--message", "Version 2") == 0
        assert f"{hub.url}/datasets/{NAME}/discussions/1" in capsys.readouterr().out
    assert hub.head(NAME) == head
    assert [pull.title for pull in hub.repo(NAME).pulls.values()] == ["Version 2"]
    assert "patches/manifest.json" in hub.files(NAME, "refs/pr/1")


def test_a_tag_names_the_commit_also_when_only_the_tag_is_missing(run, hub, release):
    assert run(release.patches, "--tag", "v1") == 0
    assert run(release.patches, "--tag", "v1") == 0
    assert run(release.patches, "--tag", "v1.0") == 0
    assert hub.repo(NAME).tags == {"v1": hub.head(NAME), "v1.0": hub.head(NAME)}


def test_a_tag_of_another_commit_is_refused_before_anything_is_sent(run, hub, release, capsys):
    hub.tag(NAME, "v1")
    assert run(release.patches, "--tag", "v1") == 1
    assert "the tag v1 is there already" in capsys.readouterr().err
    assert hub.uploads == []


def test_a_push_to_a_branch_leaves_main_alone(run, hub, release):
    head = hub.head(NAME)
    hub.repo(NAME).branches["next"] = head
    assert run(release.patches, "--revision", "next") == 0
    assert hub.head(NAME) == head
    assert "README.md" in hub.files(NAME, "next")


def test_somebody_elses_commit_meanwhile_stops_the_push(run, hub, release, capsys, monkeypatch):
    from huggingface_hub import HfApi

    seen, theirs, upload = hub.head(NAME), [], HfApi.preupload_lfs_files

    def interfere(self, *args, **kwargs):
        upload(self, *args, **kwargs)
        if hub.uploads and not theirs:
            theirs.append(hub.commit(NAME, {"other.txt": b"o"}))

    monkeypatch.setattr(HfApi, "preupload_lfs_files", interfere)
    assert run(release.patches) == 1
    message = capsys.readouterr().err
    assert "somebody else changed main meanwhile" in message
    assert seen in message
    assert theirs[0] in message
    assert hub.head(NAME) == theirs[0]
    hub.uploads.clear()
    assert run(release.patches) == 0
    assert hub.uploads == []
    assert "other.txt" in hub.files(NAME)


def test_large_shards_come_in_parts(run, hub, release):
    hub.options = Options(part_size=2000)
    assert run(release.patches) == 0
    assert max(upload.parts for upload in hub.uploads) > 1


@pytest.mark.parametrize(("write", "owner"), [(False, "TNauen"), (True, "alice")])
def test_a_token_that_does_not_suffice_is_explained(run, hub, release, capsys, write, owner):
    hub.users.clear()
    hub.add_user(owner, write=write, token=TOKEN)
    assert run(release.patches) == 1
    assert "write role" in capsys.readouterr().err


def test_a_wrong_token_is_explained(run, release, capsys):
    wrong = TOKEN[:-1] + "X"
    assert run(release.patches, "--token", wrong) == 1
    message = capsys.readouterr().err
    assert "hf auth login" in message
    assert wrong not in message


def test_no_token_is_printed_logged_or_published(run, hub, release, capfd, caplog):
    caplog.set_level("DEBUG")
    run(release.patches, "--tag", "v1")
    hub.inject(Fault("status", "/commit/", method="POST", status=503, times=None))
    run(make_release(release.patches.parent, changed={0}, name="other").patches)
    out, err = capfd.readouterr()
    assert "error:" in err
    published = b"".join(hub.files(NAME).values()) + repr(hub.history(NAME)).encode()
    local = b"".join(files_below(release.patches, "").values())
    assert TOKEN not in out + err + caplog.text
    assert TOKEN.encode() not in published + local


def test_patches_are_applied_to_parquet_sources(run, release, tmp_path, capsys):
    manifest = json.loads((release.patches / "manifest.json").read_text())
    for entry in manifest["splits"]["train"] + manifest["splits"]["validation"]:
        entry["source"] = f"data/{entry['path']}"
    (release.patches / "manifest.json").write_text(json.dumps(manifest))
    source = as_parquet(release, tmp_path / "parquet")
    assert run(release.patches, "--source", str(source), "--sample", "2") == 0
    assert "applied 8 patches: all exact" in capsys.readouterr().err


def test_statistics_are_those_of_the_shards(run, hub, release):
    run(release.patches)
    statistics = json.loads(hub.files(NAME)[f"patches/{STATISTICS}"])
    train = statistics["train"]
    assert (train["rows"], train["foregrounds"], train["backgrounds"], train["shards"]) == (9, 9, 9, 3)
    assert train["bytes"] == sum(path.stat().st_size for path in release.patches.glob("train-*"))
    assert train["rows_per_class"] == {"min": 4, "median": 4.5, "max": 5}
    ratio = 20 * 20 / (48 * 64)
    assert train["foreground_ratio"]["counts"][int(ratio * 20)] == 9
    assert train["foreground_ratio"]["mean"] == pytest.approx(ratio, abs=1e-6)


def test_the_folder_of_a_run_will_do(run, hub, release):
    assert run(release.patches.parent) == 0
    assert verify(Place.of_folder(release.patches.parent / "patches")).problems == ()
