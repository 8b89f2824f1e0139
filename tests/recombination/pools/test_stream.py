"""The sample of a stream's backgrounds: bounded, changing, shared out among the classes."""

from __future__ import annotations

import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.jpeg import encode
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.recombination.pools.stream import StreamPool

IMAGE = encode(Image.new("RGB", (4, 4)))


def row(number, label=0, ratio=0.1):
    return {"key": f"k{number}", "label": label, "background": IMAGE, "foreground_ratio": ratio}


def pool_of(size, *, by_class=False):
    return StreamPool(size, 0.8, by_class=by_class, random=generator("test"))


def picked(pool, label, chance=0.5):
    pool.pick(chance, label)
    return pool.key(0)


def kept(pool):
    return {label: [entry.key for entry in entries] for label, entries in pool._kept.items()}


def test_the_pool_is_bounded_and_keeps_changing():
    pool = pool_of(10)
    for number in range(1000):
        pool.add(row(number))
    keys = kept(pool)[None]
    assert len(keys) == len(set(keys)) == 10
    assert min(int(key[1:]) for key in keys) > 800  # old ones have left


def test_by_class_the_pool_is_shared_out():
    pool = pool_of(12, by_class=True)
    for number in range(900):
        pool.add(row(number, label=number % 4))
    assert {label: len(keys) for label, keys in kept(pool).items()} == {0: 3, 1: 3, 2: 3, 3: 3}


def test_by_class_the_pool_is_bounded_when_classes_come_one_after_the_other():
    pool = pool_of(60, by_class=True)
    for number in range(3000):
        pool.add(row(number, label=number // 100))
    assert {label: len(keys) for label, keys in kept(pool).items()} == dict.fromkeys(range(30), 2)


def test_a_class_of_pruned_backgrounds_falls_back_to_one_of_its_own():
    pool = pool_of(60, by_class=True)
    pool.add(row(1, label=1, ratio=0.9))
    pool.add(row(2, label=2))
    assert picked(pool, 1) == "k1"
    pool.add(row(3, label=1))
    pool.add(row(4, label=1, ratio=0.9))
    assert {picked(pool, 1, chance) for chance in (0, 0.5, 0.99)} == {"k3"}
    assert picked(pool, 7) == "k4"  # no background of that class went by


def test_pruned_backgrounds_do_not_join():
    pool = pool_of(10)
    pool.add(row(1, ratio=0.9))
    assert kept(pool) == {}


def test_an_empty_pool_is_an_error_with_a_reason():
    with pytest.raises(ConfigurationError, match="no background has gone by"):
        pool_of(10).pick(0.5, None)
