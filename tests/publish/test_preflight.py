"""What cannot succeed is refused before the checks, which may take hours; a dry run refuses what a push does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import publish
from fornet_hf.publish.contents import library_files
from fornet_hf.publish.kinds import release as release_kind
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub
from tests.publish.conftest import NAME, TOKEN
from tests.publish.releases import Release, make_release

pytestmark = uploads
BOTH = pytest.mark.parametrize("dry", [("--dry-run",), ()], ids=["dry", "push"])


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks must not begin."""
    monkeypatch.delattr(release_kind, "assemble")


@BOTH
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--tag", "v1"), "the tag v1 is there already"),
        (("--tag", "a bad tag"), "this cannot be a tag; found 'a bad tag'"),
        (("--tag", "v1..2"), "this cannot be a tag"),
        (("--card", "nowhere/card.md"), "this file cannot be written; found nowhere/card.md"),
        (("--card", "."), "this file cannot be written"),
        (("--picture", "nothing.jpg"), "the sample image is missing"),
        (("--source", "nowhere"), "the folder of images is missing; found no folder nowhere"),
        (("--sample", "0"), "patches to apply of each shard"),
        (("--revision", "nowhere"), "no such revision"),
    ],
)
def test_what_cannot_succeed_is_refused_before_the_checks(
    run: Callable, hub: Hub, release: Release, capsys, dry: tuple[str, ...], options: tuple[str, ...], expected: str
) -> None:
    hub.tag(NAME, "v1")
    assert run(release.patches, *options, *dry) == 1
    assert expected in capsys.readouterr().err


@BOTH
def test_the_tag_of_the_last_release_is_refused_for_another(
    run: Callable, release: Release, tmp_path: Path, capsys, monkeypatch, dry: tuple[str, ...]
) -> None:
    assert run(release.patches, "--tag", "v1") == 0
    assert run(release.patches, "--tag", "v1", *dry) == 0
    other = make_release(tmp_path / "other", changed={0})
    monkeypatch.delattr(release_kind, "assemble")
    assert run(other.patches, "--tag", "v1", *dry) == 1
    assert "the tag v1 is there already" in capsys.readouterr().err


@BOTH
def test_a_tag_that_only_the_checks_can_refuse_is_refused_in_both(
    run: Callable, hub: Hub, release: Release, capsys, dry: tuple[str, ...]
) -> None:
    given = {path: Path(file) for path, file in library_files(publish.PROJECT).items()}
    hub.commit(NAME, {**given, "patches/manifest.json": release.patches / "manifest.json"})
    hub.tag(NAME, "v1")
    assert run(release.patches, "--tag", "v1", *dry) == 1
    said, error = capsys.readouterr()
    assert "the tag v1 is there already" in error
    assert "new  " in said  # the plan


@pytest.mark.usefixtures("unchecked")
def test_a_token_that_does_not_suffice_is_refused_before_the_checks(
    run: Callable, hub: Hub, release: Release, capsys
) -> None:
    hub.add_user("TNauen", token=TOKEN, write=False)
    for name, options in ((NAME, ()), ("TNauen/New", ("--create", "public"))):
        assert run(release.patches, *options, name=name) == 1
        assert "write role" in capsys.readouterr().err


def test_a_plan_needs_no_rights_but_tells_that_a_push_does(
    run: Callable, hub: Hub, release: Release, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert run(release.patches, "--dry-run") == 0
    error = capsys.readouterr().err
    assert f"only a plan, for a push would be refused: cannot publish to {NAME}; found no token" in error
    assert run(release.patches) == 1


def test_asking_for_rights_sends_nothing(run: Callable, hub: Hub, release: Release) -> None:
    head = hub.head(NAME)
    assert run(release.patches, "--dry-run") == 0
    assert (hub.uploads, hub.head(NAME), hub.asked("/commit/")) == ([], head, [])
