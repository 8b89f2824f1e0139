"""Mixers that take turns."""

from __future__ import annotations

import pytest

from fornet_hf.errors import ConfigurationError

torch = pytest.importorskip("torch")

from fornet_hf.mixing import Alternate, CutMix, FMix, MixUp  # noqa: E402

IMAGES, LABELS = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.arange(6)


def kinds(mix, count, **given):
    """Return how each of some batches was mixed, by its weights: one number, masks, or a box."""
    found = []
    for _ in range(count):
        mixed = mix.mixed(IMAGES, LABELS, **given)
        weights = mixed.weights
        if mixed.images is IMAGES:
            found.append("none")
        elif weights.numel() == len(weights):
            found.append("mixup")
        else:
            found.append("cutmix" if ((weights == 0) | (weights == 1)).all() else "soft fmix")
    return found


def test_in_turn():
    mix = Alternate([FMix(max_soft=0.1), MixUp(), None], by="batch", seed=0)
    assert kinds(mix, 7) == ["soft fmix", "mixup", "none"] * 2 + ["soft fmix"]
    assert kinds(Alternate([MixUp(), None], by="batch", seed=0), 1, step=5) == ["none"]


def test_by_probability():
    def shares(mix):
        found = [mix.chosen(mix.steps.next()) for _ in range(1000)]
        return [found.count(mixer) / 1000 for mixer in mix.mixers]

    mixers = [MixUp(), None, CutMix()]
    assert shares(Alternate(mixers, p=[0.2, 0.5, 0.3], seed=0)) == pytest.approx([0.2, 0.5, 0.3], abs=0.05)
    assert shares(Alternate(mixers, seed=0)) == pytest.approx([1 / 3] * 3, abs=0.05)
    assert set(kinds(Alternate(mixers, p=[0, 1, 0], seed=0), 3)) == {"none"}


def test_the_same_seed_gives_the_same_batches():
    def batches():
        mix = Alternate([FMix(num_classes=6), CutMix(num_classes=6)], seed=5)
        return [mix(IMAGES, LABELS) for _ in range(4)]

    for first, second in zip(batches(), batches(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_it_is_called_as_its_mixers_are():
    mix = Alternate([FMix(num_classes=6, label_smoothing=0.1), None], p=[0.5, 0.5], seed=0)
    for _ in range(6):
        images, targets = mix(IMAGES, LABELS)
        torch.testing.assert_close(targets.sum(1), torch.ones(6))
        logits = images.mean((2, 3)) @ torch.ones(3, 6)
        torch.testing.assert_close(mix.loss(logits, LABELS), torch.nn.functional.cross_entropy(logits, targets))
    assert mix.eval()(IMAGES) is IMAGES
    assert not mix.mixers[0].training


def test_off_for_the_last_epochs_of_all_or_of_one():
    mix = Alternate([MixUp(off_for_last=3), CutMix(alpha=9)], by="batch", off_for_last=1, epochs=5, seed=0)
    found = []
    for epoch in range(5):
        mix.set_epoch(epoch)
        found.append(kinds(mix, 2))
    assert found == [["mixup", "cutmix"]] * 2 + [["none", "cutmix"]] * 2 + [["none", "none"]]


def test_one_in_another():
    mix = Alternate([Alternate([MixUp(), None]), None], by="batch", seed=0)
    found = kinds(mix, 40)
    assert set(found[1::2]) == {"none"}
    assert 3 < found[::2].count("mixup") < 17


def test_turns_in_turns_reach_every_method():
    mix = Alternate([MixUp(), Alternate([CutMix(alpha=9), None], by="batch")], by="batch", seed=0)
    assert kinds(mix, 8) == ["mixup", "cutmix", "mixup", "none"] * 2


@pytest.mark.parametrize(
    ("mixers", "given", "message"),
    [
        ([], {}, "methods is not allowed"),
        ([None], {}, "methods is not allowed"),
        ([MixUp, FMix], {}, "mixers are not allowed"),
        ([MixUp(seed=0)], {}, "a seed or a generator of its own"),
        ([MixUp(generator=torch.Generator())], {}, "a seed or a generator of its own"),
        ([MixUp(num_classes=3), FMix(num_classes=4)], {}, "num_classes is not allowed"),
        ([MixUp(label_smoothing=0.1), FMix()], {}, "label_smoothing is not allowed"),
        ([MixUp(), FMix()], {"p": [1]}, "p is not allowed"),
        ([MixUp(), FMix()], {"p": [0.5, 0.6]}, "p is not allowed"),
        ([MixUp(), FMix()], {"p": [-0.5, 1.5]}, "p is not allowed"),
        ([MixUp(), FMix()], {"p": [0.5, 0.5], "by": "batch"}, "p is not allowed"),
        ([MixUp(), FMix()], {"p": 0.5}, "p is not allowed"),
        ([MixUp(), FMix()], {"by": "epoch"}, "by is not allowed"),
        ([MixUp(), FMix()], {"off_for_last": -1}, "off_for_last is not allowed"),
        ([Alternate([MixUp()], off_for_last=2)], {}, "off_for_last is not allowed"),
        ([MixUp(), FMix()], {"seed": -1}, "seed is not allowed"),
    ],
)
def test_what_does_not_go_together(mixers, given, message):
    with pytest.raises(ConfigurationError, match=message):
        Alternate(mixers, **given)
