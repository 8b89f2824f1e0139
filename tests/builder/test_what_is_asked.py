"""Only what is asked for: splits, revisions and releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import ConfigurationError, NotFoundError
from tests.builder.rows import described, made_directly
from tests.builder.user import LIBRARY, SCRIPT, User, needs_scripts
from tests.local_hub.state import Hub
from tests.published import FORNET, IMAGENET, publish_release

PARQUET = r"resolve/.*\.parquet"


def shards(hub: Hub) -> set[str]:
    """Names of the shards that were downloaded."""
    return {record.path.rpartition("/")[2] for record in hub.asked(PARQUET, "GET")}


def prepared(folder: Path) -> list[str]:
    return sorted({path.parents[1].name for path in folder.rglob("*.arrow")})


@needs_scripts
def test_a_script_takes_the_splits_as_a_keyword(alice: User, published: Hub) -> None:
    rows = {"validation": made_directly("validation")}
    loads = [(SCRIPT, {"splits": ["validation"]}), (LIBRARY, {"split": "validation"})]
    assert alice.run(*loads) == [rows, rows["validation"]]
    assert shards(published) == {"validation-00000-of-00001.parquet"}
    assert len(prepared(alice.home)) == 1


@needs_scripts
def test_a_script_takes_one_split_as_a_string_and_refuses_none(alice: User) -> None:
    empty, one = alice.run((SCRIPT, {"splits": []}), (SCRIPT, {"splits": "validation"}))
    assert empty["last"].endswith("splits names no split; found []; allowed: ['train', 'validation']")
    assert one == {"validation": made_directly("validation")}


def test_the_library_takes_what_the_split_needs(here: Path, published: Hub) -> None:
    assert len(load_dataset(FORNET, split="validation[:2]", cache_dir=here)) == 2
    assert shards(published) == {"validation-00000-of-00001.parquet"}
    assert len(load_dataset(FORNET, split="train+validation", cache_dir=here)) == 16
    assert len(prepared(here)) == 2  # all splits named are all splits
    published.forget()
    assert set(load_dataset(FORNET, cache_dir=here)) == {"train", "validation"}
    assert len(load_dataset(FORNET, split="train", cache_dir=here)) == 12
    assert len(prepared(here)) == 2
    assert shards(published) == set()


def test_the_release_is_opened_once(here: Path, published: Hub) -> None:
    load_dataset(FORNET, split="validation", cache_dir=here)
    assert len(published.asked(r"patches/manifest\.json", "HEAD")) == 1


@pytest.mark.parametrize("mode", ["force_redownload", "reuse_cache_if_exists"])
def test_only_what_is_asked_for_is_prepared_anew(here: Path, published: Hub, mode: str) -> None:
    load_dataset(FORNET, cache_dir=here)
    (all_of_it,) = here.rglob("*validation*.arrow")
    all_of_it.write_bytes(b"damaged")
    published.forget()
    anew = load_dataset(FORNET, split="validation", cache_dir=here, download_mode=mode)
    assert described(anew) == made_directly("validation")
    assert shards(published) <= {"validation-00000-of-00001.parquet"}
    again = load_dataset(FORNET, split="validation", cache_dir=here)  # not the damaged one
    assert described(again) == made_directly("validation")


def test_what_all_splits_were_prepared_for_later_is_read(here: Path, published: Hub) -> None:
    load_dataset(FORNET, split="validation", cache_dir=here)
    (part,) = here.rglob("*validation*.arrow")
    load_dataset(FORNET, cache_dir=here)
    part.write_bytes(b"damaged")
    assert described(load_dataset(FORNET, split="validation", cache_dir=here)) == made_directly("validation")


def test_a_new_release_is_prepared_beside_the_old_one(
    here: Path, published: Hub, release: Callable[..., Path]
) -> None:
    published.tag(FORNET, "v1")
    first = described(load_dataset(FORNET, split="validation", cache_dir=here))
    (old,) = here.rglob("*.arrow")
    age = old.stat().st_mtime_ns
    folder = release(published.head(IMAGENET), 9)
    published.commit(FORNET, {f"patches/{path.name}": path for path in folder.iterdir()})
    second = described(load_dataset(FORNET, split="validation", cache_dir=here))
    assert second == made_directly("validation", 9) != first
    assert old.stat().st_mtime_ns == age
    assert described(load_dataset(FORNET, split="validation", cache_dir=here, revision="v1")) == first
    assert len(prepared(here)) == 2


@pytest.mark.parametrize("name", ["refs/pr/1", "a/branch"])
def test_revisions_may_have_slashes(here: Path, published: Hub, name: str) -> None:
    repository = published.repo(FORNET)
    repository.branches[name] = repository.branches["main"]
    assert len(load_dataset(FORNET, split="validation", cache_dir=here, revision=name)) == 4
    assert len(load_dataset(patches=f"{FORNET}@{name}", split="validation", cache_dir=here)) == 4


def test_patches_may_be_elsewhere(here: Path, published: Hub, release: Callable[..., Path]) -> None:
    publish_release(published, release(published.head(IMAGENET), 9), "someone/patches")
    published.tag("someone/patches", "good")
    published.commit("someone/patches", {"patches/manifest.json": b"{"})
    rows = load_dataset(FORNET, patches="someone/patches@good", split="validation", cache_dir=here)
    assert described(rows) == made_directly("validation", 9)


def test_the_card_may_describe_all_splits(here: Path, published: Hub) -> None:
    splits = "".join(f"\n  - name: {name}\n    num_examples: {n}" for name, n in (("train", 12), ("validation", 4)))
    card = f"---\ndataset_info:\n  features:\n  - name: key\n    dtype: string\n  splits:{splits}\n---\n"
    published.commit(FORNET, {"README.md": card.encode()})
    assert len(load_dataset(FORNET, split="validation", cache_dir=here)) == 4


def test_unknown_revisions_and_revisions_without_patches_are_named(here: Path, published: Hub) -> None:
    empty = published.history(FORNET)[-1].oid
    for revision, says in (("v9", "TNauen/ForNet has no revision 'v9'"), (empty, "no release of patches in")):
        with pytest.raises(NotFoundError, match=says):
            load_dataset(FORNET, split="train", cache_dir=here, revision=revision)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"split": "test"}, r"no such split; found \['test'\]; allowed: \['train', 'validation'\]"),
        ({"size": 3}, "unknown keyword; found size; allowed: "),
        ({"imagenet_dir": "/x", "imagenet_repo": "a/b"}, "both given; allowed: one of them"),
        ({"name": "big"}, r"no such configuration; found 'big'; allowed: default"),
        ({"path": "ForNet"}, "no such folder or repository; found 'ForNet'; allowed: .*owner/name"),
        ({"path": "./nowhere/at/all"}, "no such folder or repository"),
        ({"imagenet_repo": "imagenet"}, "no such folder or repository; found 'imagenet'"),
    ],
)
def test_wrong_keywords_are_named(here: Path, keywords: dict, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load_dataset(**{"path": FORNET, "split": "train", "cache_dir": here, **keywords})
