"""The first release, into a repository that is not there yet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fornet_hf.cli import main
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub
from tests.publish.releases import Release, make_release

pytestmark = uploads
NEW = "TNauen/New"


def test_a_missing_repository_is_created_on_demand_only(run: Callable, hub: Hub, release: Release, capsys) -> None:
    for options in ((), ("--dry-run",)):
        assert run(release.patches, *options, name=NEW) == 1
        error = capsys.readouterr().err
        assert "no such repository; found no dataset TNauen/New" in error
        assert "--create public" in error
    assert run(release.patches, "--create", "private", name=NEW) == 0
    assert hub.repo(NEW).private


def test_a_dry_run_plans_for_the_repository_that_would_be_made(
    run: Callable, hub: Hub, release: Release, capsys
) -> None:
    assert run(release.patches, "--dry-run", "--create", "public", "--tag", "v1", name=NEW) == 0
    planned, said = capsys.readouterr()
    assert "it is created, public, by the push" in said
    assert ("datasets", NEW) not in hub.repositories
    assert run(release.patches, "--create", "public", "--tag", "v1", name=NEW) == 0
    assert capsys.readouterr().out.startswith(planned)
    assert hub.repo(NEW).tags == {"v1": hub.head(NEW)}


def test_what_is_not_sound_creates_no_repository(run: Callable, hub: Hub, release: Release) -> None:
    release.shard(0).unlink()
    assert run(release.patches, "--create", "public", name=NEW) == 1
    assert ("datasets", NEW) not in hub.repositories


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (NEW, ("--revision", "next"), "no such revision in a new repository; found next; allowed: main"),
        ("alice/New", (), "you must not create alice/New"),
        ("New", (), "this cannot be the name of a repository; found 'New'; allowed: owner/name"),
    ],
)
def test_a_repository_that_cannot_be_created_is_refused_at_once(
    run: Callable, hub: Hub, tmp_path: Path, capsys, name: str, options: tuple[str, ...], expected: str
) -> None:
    release = make_release(tmp_path)
    release.shard(0).unlink()  # which the checks would find
    assert run(release.patches, "--create", "public", *options, name=name) == 1
    assert expected in capsys.readouterr().err


def test_leakage_that_was_measured_is_told_and_put_onto_the_card(
    run: Callable, hub: Hub, release: Release, tmp_path: Path, capsys
) -> None:
    measure = ["leakage", str(release.patches), "-in", str(release.imagenet), "-o", str(tmp_path / "leakage")]
    assert main([*measure, "--resamples", "20"]) == 0
    numbers = tmp_path / "leakage" / "leakage.json"
    options = ["--card", str(tmp_path / "card.md"), "--leakage", str(numbers)]
    assert run(release.patches, *options) == 0
    assert "leakage of train: mean score" in capsys.readouterr().err
    assert "- leakage of train: mean score" in (tmp_path / "card.md").read_text()
    document = json.loads(numbers.read_text())
    document["settings"]["release"] = "another"
    numbers.write_text(json.dumps(document))
    assert run(release.patches, *options) == 1
    assert "leakage.json: of another release" in capsys.readouterr().err
