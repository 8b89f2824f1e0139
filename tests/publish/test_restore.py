"""`build/publish.py REPO --restore TAG`: an earlier state comes back as a new commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import HfApi

import publish
from tests.local_hub.faults import Fault
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub
from tests.publish.conftest import NAME
from tests.publish.releases import Release, make_release

pytestmark = uploads


def back(*options: str, tag: str = "v1") -> int:
    return publish.main([NAME, "--restore", tag, *options])


@pytest.fixture
def two(run: Callable[..., int], hub: Hub, release: Release, tmp_path: Path) -> Hub:
    """A Hub with two releases: v1, and v2 with fewer shards, one of them changed, and another file beside."""
    assert run(release.patches, "--tag", "v1") == 0
    second = make_release(tmp_path / "second", shards=2, changed={1})
    assert run(second.patches, "--tag", "v2") == 0
    hub.commit(NAME, {"notes.txt": b"n"})
    hub.forget()
    return hub


def test_the_branch_holds_the_files_of_the_tag_again_by_one_commit_without_uploads(two: Hub, capsys) -> None:
    before = two.head(NAME)
    assert back() == 0
    assert {**two.files(NAME, "v1"), "notes.txt": b"n"} == two.files(NAME)
    assert (two.history(NAME)[0].parent, two.history(NAME)[0].title) == (before, "Back to v1")
    assert two.uploads == []
    out, said = capsys.readouterr()
    assert f"v1 is commit {two.repo(NAME).tags['v1']}" in said
    assert "new" in out.split("patches/train-00000-of-00003.parquet")[0]
    assert "deleted" in out.split("patches/train-00000-of-00002.parquet")[0]
    assert f"restored: {NAME}@{two.head(NAME)}" in out


def test_a_restored_state_can_have_a_tag_and_the_way_forward_is_open(two: Hub) -> None:
    assert back("--tag", "v3") == 0
    assert two.repo(NAME).tags["v3"] == two.head(NAME)
    assert back(tag="v2") == 0
    assert {**two.files(NAME, "v2"), "notes.txt": b"n"} == two.files(NAME)


def test_a_dry_run_prints_the_plan_and_changes_nothing(two: Hub, capsys) -> None:
    head = two.head(NAME)
    assert back("--dry-run") == 0
    assert "deleted        2 files" in capsys.readouterr().out
    assert (two.head(NAME), two.asked("/commit/", "POST")) == (head, [])


def test_what_is_there_already_is_not_committed_again(two: Hub, capsys) -> None:
    assert back(tag="v2") == 0
    assert f"was there already: {NAME}@{two.head(NAME)}" in capsys.readouterr().out
    assert two.asked("/commit/", "POST") == []


def test_a_pull_request_restores_without_touching_the_branch(two: Hub) -> None:
    head = two.head(NAME)
    for _ in range(2):
        assert back("--create-pr") == 0
    assert two.head(NAME) == head
    assert len(two.repo(NAME).pulls) == 1
    assert {**two.files(NAME, "v1"), "notes.txt": b"n"} == two.files(NAME, "refs/pr/1")


def test_a_commit_whose_answer_is_lost_is_found(two: Hub) -> None:
    count = len(two.history(NAME))
    two.inject(Fault("lost", "/commit/", method="POST"))
    assert back() == 0
    assert len(two.history(NAME)) == count + 1


def test_a_commit_that_differs_from_the_tag_is_told(two: Hub, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    create = HfApi.create_commit

    def forgetful(self, repository, operations, **options):
        return create(self, repository, operations[1:], **options)

    monkeypatch.setattr(HfApi, "create_commit", forgetful)
    assert back() == 1
    assert "the tag is not restored; found other files" in capsys.readouterr().err


def test_a_missing_tag_is_told_with_those_there_are(two: Hub, capsys) -> None:
    assert back(tag="v9") == 1
    assert "no such tag; found v9; allowed: v1, v2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--create", "public"), "--restore publishes nothing new; found --create public"),
        (("--card", "card.md"), "--restore publishes nothing new; found --card card.md"),
        (("--imagenet-dir", "imagenet"), "--restore does not have this option; found --imagenet-dir"),
        (("--kind", "model", "--license", "mit"), "--restore does not have this option; found --license"),
    ],
)
def test_options_that_it_would_ignore_are_refused(hub_home, capsys, options: tuple[str, ...], expected: str) -> None:
    assert back(*options) == 1
    assert expected in capsys.readouterr().err


def test_a_folder_beside_it_is_refused(two: Hub, release: Release, capsys) -> None:
    assert publish.main([str(release.patches), NAME, "--restore", "v1"]) == 1
    assert "--restore publishes nothing new" in capsys.readouterr().err
    assert publish.main([NAME]) == 1
    assert "nothing to publish" in capsys.readouterr().err
