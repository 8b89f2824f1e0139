"""Batches of examples: `collate` of ours, and torch's own."""

from __future__ import annotations

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import Composition, Recombine, collate, to_tensor

torch = pytest.importorskip("torch")


def loaded(ds, collate_fn, **parameters):
    ds.set_transform(Recombine(ds, seed=1, return_composition=True, keep=("key",), **parameters))
    return next(iter(torch.utils.data.DataLoader(ds, batch_size=4, collate_fn=collate_fn)))


def test_examples_of_all_kinds_make_batches(ds):
    batch = loaded(ds, collate, crop=32, transform=to_tensor, return_fg_masks=True)
    assert tuple(batch["image"].shape) == (4, 3, 32, 32)
    assert tuple(batch["mask"].shape) == (4, 1, 32, 32)
    assert batch["label"].dtype == torch.int64
    assert batch["key"] == ds.with_format(None)["key"][:4]
    assert [Composition.from_json(made).output for made in batch["composition"]] == [(32, 32)] * 4


def test_images_stay_a_list(ds):
    assert len(loaded(ds, collate)["image"]) == 4


@pytest.mark.parametrize("combination", ["orig", "all"])
def test_compositions_make_batches_without_it_too(ds, combination):
    batch = loaded(ds, None, crop=32, transform=to_tensor, background_combination=combination)
    assert batch["composition"]["background"].tolist() == [-1] * 4 or combination == "all"
    assert len(batch["composition"]["background_key"]) == 4


def test_tuples_and_views_make_batches():
    views = [torch.zeros(3, 2, 2), torch.zeros(3, 1, 1)]
    images, labels, keys = collate([(views, 1, "a"), (views, 2, "b")])
    assert [tuple(view.shape) for view in images] == [(2, 3, 2, 2), (2, 3, 1, 1)]
    assert (labels.tolist(), keys) == ([1, 2], ["a", "b"])


def test_several_sizes_are_named(ds):
    with pytest.raises(ConfigurationError, match=r"differ in the shape of image.*crop=224"):
        collate([{"image": torch.zeros(3, 2, 2)}, {"image": torch.zeros(3, 2, 3)}])


@pytest.mark.parametrize("examples", [[], [3], [None]])
def test_other_things_are_refused(examples):
    with pytest.raises(ConfigurationError, match="no examples"):
        collate(examples)
