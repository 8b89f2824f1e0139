"""Workers that leave composing to a device: they draw what others draw, and leave CUDA alone."""

from __future__ import annotations

import multiprocessing
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import Recombine, collate, set_epoch
from fornet_hf.recombination.device import layers

torch = pytest.importorskip("torch")

from fornet_hf.recombination.device.compositor import Compositor  # noqa: E402

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
WAYS = pytest.mark.parametrize("way", ["pixels", "jpeg"])


def recombined(ds: Any, way: str | None = None, **parameters: Any) -> Any:
    parameters = {"crop": 48, "flip": 0.5, "seed": 3, "return_composition": True, **parameters}
    return ds.with_transform(Recombine(ds, defer=way, **parameters))


def mirrored(image: Image.Image) -> Image.Image:
    return ImageOps.mirror(image)


def negative(label: int) -> int:
    return -label


@WAYS
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"background_combination": "orig", "orig_img_prob": 0.5},
        {"evaluation": True},
        {"foreground_transform": mirrored, "target_transform": negative, "keep": ("key", "box")},
        {"paste_pre_transform": False, "fg_in_nonant": 3, "return_fg_masks": True},
    ],
)
def test_training_can_change_between_all_ways(ds: Any, way: str, parameters: dict[str, Any]) -> None:
    examples = recombined(ds, **parameters).__getitems__(range(8))
    batch = collate(recombined(ds, way, **parameters).__getitems__(range(8)))
    composed = Compositor(dtype=torch.uint8).composed(batch)
    assert composed.columns.pop("composition") == [example["composition"] for example in examples]
    assert composed.labels.tolist() == [example["label"] for example in examples]
    assert set(composed.columns) == set(parameters.get("keep", ()))
    images = np.stack([np.asarray(example["image"]) for example in examples])
    off = abs(composed.images.permute(0, 2, 3, 1).numpy().astype(int) - images)
    assert off.mean() < (0.3 if way == "pixels" else 3)
    if way == "pixels":
        assert off.max() <= 2


@WAYS
def test_it_can_be_looked_at_and_pickled(ds: Any, way: str) -> None:
    example = recombined(ds, way, flip=1.0)[0]
    assert repr(example["image"]).startswith("Deferred(48 x 48, mirrored: ")
    assert len(repr(example["image"])) < 120
    again = pickle.loads(pickle.dumps(example))
    assert torch.equal(*(Compositor()(collate([one]))[0] for one in (example, again)))
    transform = Recombine(ds, crop=48, seed=3, defer=way, return_composition=True)
    assert f"defer={way!r}" in repr(transform)
    copied = ds.with_transform(pickle.loads(pickle.dumps(transform)))
    assert copied[0]["composition"] == recombined(ds, way, flip=0.0)[0]["composition"]


def test_a_cut_shows_the_pixels_of_the_whole(ds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of images larger than the default raster only the part is sent which is shown."""
    data = recombined(ds, "jpeg")
    whole = collate(data.__getitems__(range(8)))
    monkeypatch.setattr(layers, "_WORTH_A_CUT", 0)
    cut = collate(data.__getitems__(range(8)))
    assert len(cut.codes) < 0.8 * len(whole.codes)
    assert torch.equal(Compositor()(cut)[0], Compositor()(whole)[0])


def test_a_recombination_to_look_at_is_composed_at_once(ds: Any) -> None:
    found = Recombine(ds, crop=48, seed=3, defer="jpeg").recombine(ds[0])
    assert found.composed.image.size == (48, 48)


def test_a_transform_of_images_is_refused(ds: Any) -> None:
    with pytest.raises(ConfigurationError, match="on the batch"):
        recombined(ds, "pixels", transform=mirrored)
    with pytest.raises(ConfigurationError, match="on the batch"):
        Recombine(ds, defer="pixels").transform = mirrored


def without_cuda(_: int) -> None:
    """Let every attempt to start CUDA in this worker fail."""

    def started(*_: Any, **__: Any) -> None:
        raise AssertionError("a worker starts CUDA")

    torch.cuda._lazy_init = started


def collated(examples: Any) -> Any:
    assert not torch.cuda.is_initialized()
    return collate(examples)


@pytest.mark.parametrize(("method", "way"), [("fork", "pixels"), ("spawn", "jpeg")])
def test_workers_of_all_kinds_give_the_same_batches_and_leave_cuda_alone(ds: Any, method: str, way: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    data = recombined(ds, way)
    loader = torch.utils.data.DataLoader(
        data,
        batch_size=3,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context=method,
        collate_fn=collated,
        worker_init_fn=without_cuda,
        pin_memory=torch.cuda.is_available(),
    )
    for epoch in (0, 1):
        set_epoch(data, epoch)
        batches = list(loader)
        assert [len(batch) for batch in batches] == [3, 3, 2]
        set_epoch(data, epoch)
        wanted = [Compositor()(collate(data.__getitems__(part)))[0] for part in (range(3), range(3, 6), range(6, 8))]
        for batch, images in zip(batches, wanted, strict=True):
            assert torch.equal(Compositor()(batch)[0], images)


@pytest.mark.skipif(torch.cuda.is_available(), reason="here memory can be pinned")
def test_pinned_memory_without_a_gpu_is_plain_memory(ds: Any) -> None:
    loader = torch.utils.data.DataLoader(
        recombined(ds, "pixels"), batch_size=8, num_workers=1, collate_fn=collate, pin_memory=True
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that there is no accelerator
        batch = next(iter(loader))
    assert Compositor()(batch)[0].shape == (8, 3, 48, 48)


@needs_gpu
@pytest.mark.gpu
@WAYS
def test_workers_may_be_forked_after_cuda_was_started(ds: Any, way: str) -> None:
    torch.zeros(1, device="cuda")
    assert torch.cuda.is_initialized()
    loader = torch.utils.data.DataLoader(
        recombined(ds, way), batch_size=4, num_workers=2, multiprocessing_context="fork", collate_fn=collate
    )
    batches = [batch.pin_memory().to("cuda", non_blocking=True) for batch in loader]
    assert [Compositor()(batch)[0].shape[0] for batch in batches] == [4, 4]
