"""Recombination of streams, against a bounded pool."""

from __future__ import annotations

import dataclasses
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import datasets
import numpy as np
import pytest
from PIL import Image

import fornet_hf
from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import BackgroundPool, StreamingRecombine, collate, recombine_stream, set_epoch
from fornet_hf.recombination.pools.stream import StreamPool
from tests.recombination.conftest import as_dataset
from tests.recombination.pools.test_stream import picked, row


@pytest.fixture
def stream(ds) -> datasets.IterableDataset:
    return ds.to_iterable_dataset(num_shards=2)


def test_a_stream_gives_examples(stream, rows):
    examples = list(recombine_stream(stream, crop=48, return_fg_masks=True))
    assert [example["label"] for example in examples] == [row.label for row in rows]
    assert {example["image"].size for example in examples} == {(48, 48)}
    assert set(examples[0]) == {"image", "label", "mask"}


@pytest.mark.parametrize("way", ["pixels", "jpeg"])
def test_a_stream_is_composed_on_a_device_too(stream, way):
    torch = pytest.importorskip("torch")
    options = {"seed": 3, "crop": 48, "return_fg_masks": True, "return_composition": True}
    wanted = list(recombine_stream(stream, **options))
    deferred = recombine_stream(stream, defer=way, **options)
    loader = torch.utils.data.DataLoader(deferred, 8, collate_fn=collate, num_workers=1)
    composed = fornet_hf.Compositor(dtype=torch.uint8).composed(next(iter(loader)))
    assert composed.columns["composition"] == [example["composition"] for example in wanted]
    assert composed.labels.tolist() == [example["label"] for example in wanted]
    for name, found in (("image", composed.images.permute(0, 2, 3, 1)), ("mask", composed.masks[:, 0])):
        images = np.stack([np.asarray(example[name]) for example in wanted])
        assert abs(found.numpy().astype(int) - images).mean() < (1 if way == "pixels" else 3)


def test_the_class_of_the_background_is_kept(stream, rows):
    labels = {row.key: row.label for row in rows}
    examples = list(recombine_stream(stream, background_combination="same", return_composition=True))
    assert [labels[example["composition"]["background_key"]] for example in examples] == [row.label for row in rows]


def test_with_a_seed_a_stream_repeats(stream):
    runs = [[e["image"].tobytes() for e in recombine_stream(stream, seed=3, crop=32)] for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.filterwarnings("ignore:pass 2 over the rows in epoch 0")
@pytest.mark.parametrize("parameters", [{"seed": 3}, {"evaluation": True}])
def test_every_pass_of_the_same_epoch_is_the_same(stream, parameters):
    recombined = recombine_stream(stream, pool_size=3, batch_size=2, crop=32, **parameters)
    first, second = ([e["image"].tobytes() for e in recombined] for _ in range(2))
    assert first == second
    set_epoch(recombined, 1)
    assert ([e["image"].tobytes() for e in recombined] == first) == ("evaluation" in parameters)


def test_a_pass_does_not_see_backgrounds_of_the_one_before(stream, rows):
    recombined = recombine_stream(stream, batch_size=1, return_composition=True)
    for _ in range(2):
        assert next(iter(recombined))["composition"]["background_key"] in (None, rows[0].key)


@pytest.mark.skipif(int(datasets.__version__[0]) < 4, reason="datasets 3.6 passes over rows of shards it has begun")
def test_a_stream_goes_on_where_it_was(stream):
    recombined = recombine_stream(stream, batch_size=2)
    labels = [example["label"] for example in recombined]
    begun = iter(recombined)
    for _ in range(4):
        next(begun)
    state = recombined.state_dict()
    recombined.load_state_dict(state)
    assert [example["label"] for example in recombined] == labels[4:]


def test_a_row_without_a_background_gets_one_of_its_class():
    pool = StreamingRecombine(background_combination="orig").pool
    pool.add(row(1, label=1))
    pool.add(row(2, label=2))
    assert picked(pool, 1) == "k1"


def test_backgrounds_of_earlier_batches_are_used(stream, rows):
    recombine = StreamingRecombine(return_composition=True, seed=1)
    mapped = stream.map(recombine, batched=True, batch_size=2, remove_columns=stream.column_names)
    keys = [example["composition"]["background_key"] for example in mapped]
    assert any(keys[index] in {row.key for row in rows[: index - 1]} for index in range(2, 8))


def test_a_generator_of_rows_can_be_streamed(rows):
    from fornet_hf.features import row_features
    from tests.factory import columns

    source = datasets.IterableDataset.from_generator(
        lambda: (columns(row) for row in rows), features=row_features(["a", "b", "c"])
    )
    assert len(list(recombine_stream(source, fg_transform=lambda image: image))) == 8


def test_shards_that_are_read_by_turns_share_the_pool(ds, rows):
    """As by datasets 5, whose shuffle takes several shards at a time."""
    recombine = StreamingRecombine(return_composition=True, pool_size=100)
    batch = ds.with_format(None)[:2]
    for start in (0, 0, 2, 2, 4):
        recombine(batch | {"key": [f"{start}a", f"{start}b"]}, [start, start + 1])
    assert len(recombine.pool._kept[None]) == 8  # all since the second shard began
    recombine(batch, [9, 10])  # taken up again elsewhere
    assert len(recombine.pool._kept[None]) == 2


def a_dot(_: Image.Image) -> Image.Image:
    return Image.new("RGBA", (1, 1), (0, 0, 0, 255))


def test_threads_do_not_mix_up_backgrounds(rows, monkeypatch):
    """Each example shows the background that its composition names."""
    pick = StreamPool.pick
    monkeypatch.setattr(StreamPool, "pick", lambda *of: (pick(*of), time.sleep(0.001))[0])  # others run meanwhile
    large = as_dataset([dataclasses.replace(row, key=f"{row.key}{n}") for n in range(12) for row in rows])
    expected = {row["key"]: row["background"] for row in large}
    stream = recombine_stream(
        large.to_iterable_dataset(num_shards=6),
        batch_size=2,
        return_composition=True,
        foreground_transform=a_dot,
        mask_smoothing_sigma=0,
    )
    shuffled = stream.shuffle(seed=0, buffer_size=5)
    for one in (shuffled, pickle.loads(pickle.dumps(shuffled))):  # as a loader's worker gets it
        examples = list(one)
        assert len(examples) == len(large)
        for example in examples:
            shown, stored = np.asarray(example["image"]), expected[example["composition"]["background_key"]]
            assert shown.shape[:2] == stored.size[::-1]
            assert (shown != np.asarray(stored)).any(axis=2).mean() < 0.5


class Slow(BackgroundPool):
    """Lets other threads run whenever it has remembered what was read."""

    @property
    def _last(self):
        return self.__dict__.get("last")

    @_last.setter
    def _last(self, value):
        self.__dict__["last"] = value
        time.sleep(0.001)


def test_a_pool_is_read_by_several_threads(ds):
    pool = Slow(ds)
    expected = [pool.read(row) for row in range(len(ds))]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(pool.read, range(len(ds)))) == expected


def test_rows_that_are_no_stream_are_refused(ds):
    """A map over a Dataset would store one recombination, and show it in every epoch."""
    for rows in (ds, datasets.DatasetDict(train=ds), [ds[0]]):
        with pytest.raises(ConfigurationError, match=r"the rows are no stream; found .*set_transform\(Recombine"):
            recombine_stream(rows, crop=16)


@pytest.mark.parametrize("size", [0, 1.5, True])
def test_the_pool_has_a_size(size):
    with pytest.raises(ConfigurationError, match="pool_size"):
        StreamingRecombine(pool_size=size)


def test_columns_are_kept_while_streaming(ds, rows):
    recombined = recombine_stream(ds.to_iterable_dataset(), keep=("key",), crop=32)
    assert [(list(example), example["key"]) for example in recombined] == [
        (["image", "label", "key"], row.key) for row in rows
    ]
