"""Without the network: what is in the cache is enough, and what is not is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builder.rows import made_directly
from tests.builder.user import LIBRARY, SCRIPT, WAYS, User, needs_scripts
from tests.local_hub.state import Hub
from tests.published import FORNET, IMAGENET

OFFLINE = {"HF_HUB_OFFLINE": "1"}


def offline(user: User) -> User:
    return User(user.hub, user.home, variables=OFFLINE)


@pytest.mark.parametrize("way", WAYS)
def test_what_was_loaded_once_loads_offline(alice: User, published: Hub, way: str) -> None:
    first = alice.load(way)
    published.forget()
    loads = [(way, {}), (LIBRARY, {"split": "train"}), (LIBRARY, {"split": "train", "background_combination": "all"})]
    same, train, recombined = offline(alice).run(*loads)
    assert same == first
    assert train == made_directly("train")
    assert recombined[0]["columns"] == ["image", "label"]
    assert published.requests == []


def test_what_was_never_loaded_says_what_to_do(alice: User) -> None:
    alice.load(split="validation")
    cold = offline(User(alice.hub, alice.home.with_name("cold")))
    result = cold.load()
    assert result["error"] == "UnreachableError"
    assert "patches/manifest.json of TNauen/ForNet is not in the cache" in result["last"]
    assert "unset HF_HUB_OFFLINE" in result["last"]
    result = offline(alice).load(split="train")
    assert result["error"] == "UnreachableError"
    assert "data/train-00000-of-00003.parquet of ILSVRC/imagenet-1k at revision" in result["last"]


def test_without_a_connection_the_cache_is_used_too(alice: User) -> None:
    alice.load(split="validation")
    unplugged = User(alice.hub, alice.home, variables={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert unplugged.load(split="validation") == made_directly("validation")


@pytest.mark.parametrize("way", WAYS)
def test_a_revision_gives_its_own_rows_or_none(
    alice: User, published: Hub, release: Callable[..., Path], way: str
) -> None:
    published.tag(FORNET, "v1")
    alice.load(way, split="validation", revision="v1")
    folder = release(published.head(IMAGENET), 9)
    published.commit(FORNET, {f"patches/{path.name}": path for path in folder.iterdir()})
    alice.load(way, split="validation")
    published.tag(FORNET, "v2")
    first, second, never = offline(alice).run(
        (way, {"split": "validation", "revision": "v1"}),
        (way, {"split": "validation"}),
        (way, {"split": "validation", "revision": "v2"}),
    )
    assert first == made_directly("validation")
    assert second == made_directly("validation", 9)
    assert never["error"] == "UnreachableError"


@needs_scripts
def test_a_revision_that_is_not_there_gives_no_rows(alice: User) -> None:
    alice.load(SCRIPT, split="validation")
    result = alice.load(SCRIPT, split="validation", revision="v9")
    assert "TNauen/ForNet has no revision 'v9'" in result["last"]
