"""From the Hub to rows: the same, by script and by library, once prepared."""

from __future__ import annotations

import pytest

from tests.builder.rows import made_directly
from tests.builder.user import LIBRARY, SCRIPT, WAYS, User, needs_scripts
from tests.local_hub.state import Hub
from tests.published import ROWS, SHARDS

PARQUET = r"resolve/.*\.parquet"


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_those_made_directly(alice: User, published: Hub, way: str) -> None:
    train, both = alice.run((way, {"split": "train"}), (way, {}))
    assert train == made_directly("train")
    assert both == {split: made_directly(split) for split in ("train", "validation")}
    assert len(train) == SHARDS["train"] * (ROWS - 1)


@pytest.mark.parametrize("way", WAYS)
def test_a_prepared_release_is_not_downloaded_or_prepared_again(alice: User, published: Hub, way: str) -> None:
    first, second = alice.run((way, {}), (way, {"background_combination": "same"}))
    downloads = len(published.asked(PARQUET, "GET"))
    assert downloads == 2 * sum(SHARDS.values())
    assert second["train"][0]["columns"] == ["image", "label"]
    published.forget()
    ages = [path.stat().st_mtime_ns for path in alice.home.rglob("*.arrow")]
    third, fourth = alice.run((way, {}), (way, {"background_combination": "all", "crop": 32}))
    assert [path.stat().st_mtime_ns for path in alice.home.rglob("*.arrow")] == ages
    assert third == first
    assert fourth["train"][0]["size"] == [32, 32]
    assert published.asked(PARQUET) == []


@needs_scripts
def test_script_and_library_share_the_cache(alice: User, published: Hub) -> None:
    by_script, by_library, train = alice.run((SCRIPT, {}), (LIBRARY, {}), (LIBRARY, {"split": "train"}))
    assert by_library == by_script
    assert train == by_script["train"]
    prepared = [path for path in alice.home.rglob("*.arrow") if "train" in path.name]
    assert len({path.parent for path in prepared}) == 1
