"""Draws that depend on seed, epoch, step and rank, in whatever process."""

from __future__ import annotations

import functools
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.mixing.steps import Steps

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader, IterableDataset, TensorDataset  # noqa: E402

from fornet_hf.mixing import Alternate, FMix, MixUp  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker processes")
DATA = TensorDataset(torch.arange(12.0)[:, None, None].expand(12, 1, 4), torch.arange(12))


def numbers(steps, count, **given):
    return [int(steps.next(**given).rng.integers(2**62)) for _ in range(count)]


def keyed(seed=0, name="a", **more):
    return Steps(name, seed, **more)


def test_the_same_key_gives_the_same_draw():
    first = numbers(keyed(), 4)
    assert numbers(keyed(), 4) == first
    assert len(set(first)) == 4
    assert [numbers(keyed(), 1, step=step)[0] for step in range(4)] == first


@pytest.mark.parametrize("other", [{"seed": 1}, {"name": "b"}])
def test_other_keys_give_other_draws(other):
    assert not set(numbers(keyed(), 8)) & set(numbers(keyed(**other), 8))


def test_epochs_differ_and_begin_anew():
    steps = keyed()
    first = numbers(steps, 3)
    steps.set_epoch(1)
    second = numbers(steps, 3)
    steps.set_epoch(0)
    assert not set(first) & set(second)
    assert numbers(steps, 3) == first


def test_a_training_goes_on_in_the_middle_of_an_epoch():
    whole, rest = keyed(), keyed()
    whole.set_epoch(4)
    rest.set_epoch(4, step=3)
    assert numbers(rest, 2) == numbers(whole, 5)[3:]
    assert rest.step == 5
    rest.set_epoch(5)
    assert rest.step == 0


def test_ranks_differ(monkeypatch):
    drawn = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        drawn.append(numbers(keyed(), 4))
    monkeypatch.delenv("RANK")
    assert numbers(keyed(), 4) == drawn[0]
    assert not set(drawn[0]) & set(drawn[1])


def test_the_rank_of_a_process_group_counts(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    first = numbers(keyed(), 4)
    monkeypatch.undo()
    monkeypatch.setenv("RANK", "1")
    assert numbers(keyed(), 4) == first


def test_without_a_seed_torchs_counts():
    def drawn(seed):
        torch.manual_seed(seed)
        return numbers(Steps("a"), 4)

    before = torch.random.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert drawn(3) == drawn(3)
    assert len(set(drawn(3) + drawn(4))) == 8
    torch.random.set_rng_state(before[0])
    numbers(Steps("a"), 1)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


def test_a_generator_of_torch():
    def drawn(seed):
        return numbers(Steps("a", source=torch.Generator().manual_seed(seed)), 4)

    assert drawn(0) == drawn(0)
    assert len(set(drawn(0) + drawn(1))) == 8


@pytest.mark.parametrize("step", [-1, 0.5, True, "1"])
def test_a_step_is_a_number_from_0(step):
    with pytest.raises(ConfigurationError, match="step is not allowed"):
        keyed().next(step=step)


def test_one_source_of_randomness():
    with pytest.raises(ConfigurationError, match="seed and generator were both given"):
        MixUp(seed=0, generator=torch.Generator())


def test_off_for_the_last_epochs():
    mix = FMix(off_for_last=2, seed=0)
    images = torch.rand(4, 1, 8, 8)
    with pytest.raises(ConfigurationError, match="needs the number of epochs"):
        mix(images)
    mixed = []
    for epoch in range(5):
        mix.set_epoch(epoch, epochs=5)
        mixed.append(not torch.equal(mix(images), images))
    assert mixed == [True, True, True, False, False]
    assert FMix(off_for_last=2, epochs=2).mixed(images).images is images


def collated(mix, examples):
    return mix.mixed(*torch.utils.data.default_collate(examples)).lam


def epochs_of(mix, workers, epochs=2, tell=True, start=0, **arguments):
    """Return the lambda of each batch, an epoch a list, as a loader with workers makes them."""
    if workers:
        arguments = {"persistent_workers": False, "multiprocessing_context": "fork", **arguments}
    data = torch.utils.data.Subset(DATA, range(2 * start, 12))
    loader = DataLoader(data, 2, num_workers=workers, collate_fn=functools.partial(collated, mix), **arguments)
    result = []
    for epoch in range(epochs):
        if tell:
            mix.set_epoch(epoch, step=start)
        result.append([lam[0].item() for lam in loader])
    return result


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("persistent", [False, True])
def test_any_number_of_workers_draws_the_same(workers, persistent):
    plain = epochs_of(MixUp(seed=0), 0)
    assert len({lam for epoch in plain for lam in epoch}) == 12
    assert epochs_of(MixUp(seed=0), workers, persistent_workers=persistent) == plain


def test_spawned_workers_have_the_rank_of_their_parent(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    steps = keyed()
    sent = pickle.dumps(steps)
    monkeypatch.undo()
    monkeypatch.setenv("RANK", "")
    of_rank_1 = numbers(pickle.loads(sent), 3)
    monkeypatch.setenv("RANK", "1")
    assert of_rank_1 == numbers(keyed(), 3)


def test_spawned_workers_draw_the_same():
    plain = epochs_of(MixUp(seed=0), 0)
    arguments = {"persistent_workers": True, "multiprocessing_context": "spawn"}
    assert epochs_of(MixUp(seed=0), 1, **arguments) == plain


def test_workers_go_on_in_the_middle_of_an_epoch():
    (whole,) = epochs_of(MixUp(seed=0), 2, 1)
    (rest,) = epochs_of(MixUp(seed=0), 2, 1, start=3)
    assert rest == whole[3:]


def test_the_next_epoch_begins_at_its_first_batch_in_workers_that_stay():
    mix = MixUp(seed=0)
    loader = DataLoader(
        DATA, 2, num_workers=1, collate_fn=functools.partial(collated, mix), persistent_workers=True,
        multiprocessing_context="fork",
    )  # fmt: skip
    found = []
    for epoch, step in ((0, 3), (1, 0)):
        mix.set_epoch(epoch, step=step)
        found.append([lam[0].item() for lam in loader])
    first, second = epochs_of(MixUp(seed=0), 0)
    assert found[0][:3] == first[3:]
    assert found[1] == second


def test_calls_before_do_not_count_in_workers():
    mix = MixUp(seed=0)
    mix(torch.rand(2, 1, 4))
    assert epochs_of(mix, 2, 1, tell=False) == epochs_of(MixUp(seed=0), 2, 1)


def test_epochs_that_nobody_told_differ_where_they_can():
    persistent = epochs_of(MixUp(seed=0), 2, tell=False, persistent_workers=True)
    assert len({lam for epoch in persistent for lam in epoch}) == 12
    unseeded = epochs_of(MixUp(), 2, tell=False)
    assert len({lam for epoch in unseeded for lam in epoch}) == 12


def test_workers_that_begin_anew_in_an_epoch_are_noticed(monkeypatch):
    steps = keyed()
    monkeypatch.setattr(torch.utils.data, "get_worker_info", lambda: SimpleNamespace(id=0, num_workers=2))
    numbers(steps, 2)
    steps._counted = 0, 0.0  # by another process
    with pytest.warns(RuntimeWarning, match=r"repeat.*set_epoch\(epoch\) of the mixer"):
        numbers(steps, 1)
    steps.set_epoch(1)
    numbers(steps, 1)


class Stream(IterableDataset):
    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        yield from [DATA[worker.id]] * (2 if worker.id else 6)


def test_streams_of_unequal_lengths_draw_no_number_twice():
    loader = DataLoader(
        Stream(), 2, num_workers=2, collate_fn=functools.partial(collated, MixUp(seed=0)),
        multiprocessing_context="fork",
    )  # fmt: skip
    drawn = [lam[0].item() for lam in loader]
    assert len(set(drawn)) == len(drawn) == 4


def test_a_generator_is_refused_in_workers(monkeypatch):
    monkeypatch.setattr(torch.utils.data, "get_worker_info", lambda: SimpleNamespace(id=0, num_workers=2))
    with pytest.raises(ConfigurationError, match="in all workers"):
        MixUp(generator=torch.Generator())(torch.rand(2, 3, 4))


def test_mixers_that_alternate_share_one_key():
    def mix():
        return Alternate([MixUp(), None], by="batch", seed=0)

    plain = epochs_of(mix(), 0)
    assert [[lam == 1 for lam in epoch] for epoch in plain] == [[False, True] * 3] * 2
    assert epochs_of(mix(), 3, persistent_workers=True) == plain
