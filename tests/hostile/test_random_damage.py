"""Random damage of a shard: a typed error that names the place, and never a wrong row."""

from __future__ import annotations

import numpy as np
import pytest

from fornet_hf.errors import (
    ForNetError,
)
from tests.hostile.attacked import SHARD


def test_the_release_is_good_before_the_attack(attacked):
    assert len(attacked.rows()) == 3
    attacked.table(lambda records: records)
    assert len(attacked.rows()) == 3


def mutated(data, generator):
    """One to four random damages: flipped bits, overwritten runs, cuts, doubled parts."""
    data = bytearray(data)
    for _ in range(generator.integers(1, 5)):
        at, length = int(generator.integers(len(data))), int(generator.integers(1, 64))
        match generator.integers(5):
            case 0 | 1:
                data[at] ^= 1 << int(generator.integers(8))
            case 2:
                data[at : at + length] = generator.bytes(len(data[at : at + length]))
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
    return bytes(data)


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_is_an_error_or_changes_nothing(attacked, seed):
    good = attacked.rows()
    attacked.shard_bytes(mutated(attacked.shard.read_bytes(), np.random.default_rng(seed)))
    try:
        rows = attacked.rows()
    except ForNetError as error:
        rows = str(error)
    assert SHARD in rows if isinstance(rows, str) else rows == good
