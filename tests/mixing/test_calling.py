"""All ways to call a mixer: forms of batches, losses, modules in modules, faults."""

from __future__ import annotations

import copy
import pickle
from collections import namedtuple

import pytest

from fornet_hf.errors import ConfigurationError
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")
from torch.nn.functional import cross_entropy  # noqa: E402

from fornet_hf.mixing import CutMix, FMix, MixUp, mixed_loss  # noqa: E402
from tests.mixing.batches import CLASSES, a_mix, all_mixers, all_ways, batch  # noqa: E402
from tests.operations import Operations  # noqa: E402


@all_mixers
def test_a_dict_of_columns(kind):
    images, labels = batch()
    columns = {"key": list("abcdef"), "image": images, "label": labels, "mask": images[:, :1]}
    mixed = a_mix(kind)(columns)
    expected = a_mix(kind).mixed(images, labels, images[:, :1])
    assert list(mixed) == list(columns)
    assert mixed["key"] == columns["key"]
    assert torch.equal(mixed["image"], expected.images)
    assert torch.equal(mixed["label"], expected.targets)
    assert torch.equal(mixed["mask"], expected.masks)
    assert torch.equal(columns["label"], labels)


@pytest.mark.parametrize("form", [list, tuple])
def test_a_list_gives_a_list(form):
    got = a_mix(FMix)(form(batch()))
    assert type(got) is form
    assert [len(tensor) for tensor in got] == [6, 6]


def test_a_named_tuple_gives_one_of_its_kind():
    pair = namedtuple("Pair", ["images", "labels"])
    got = a_mix(FMix)(pair(*batch()))
    assert type(got) is pair
    assert torch.equal(got.labels, a_mix(FMix)(*batch())[1])


@all_mixers
@all_ways
def test_an_empty_batch(kind, each):
    images, labels = batch(0)
    got = a_mix(kind, each=each, labels="visible")(images, labels, images[:, :1])
    assert [tuple(tensor.shape) for tensor in got] == [(0, 3, 16, 12), (0, CLASSES), (0, 1, 16, 12)]


def test_in_the_collate_function_of_a_loader():
    data = torch.utils.data.TensorDataset(*batch(10))
    mix = a_mix(CutMix)
    loader = torch.utils.data.DataLoader(
        data, batch_size=4, collate_fn=lambda examples: mix(*torch.utils.data.default_collate(examples))
    )
    assert [tuple(targets.shape) for _, targets in loader] == [(4, CLASSES), (4, CLASSES), (2, CLASSES)]


def test_among_transforms_of_torchvision():
    v2 = import_torchvision().transforms.v2
    mix = v2.RandomChoice([a_mix(FMix), v2.CutMix(num_classes=CLASSES), a_mix(MixUp)])
    for _ in range(6):
        images, targets = v2.Compose([mix])(*batch())
        assert images.shape == (6, 3, 16, 12)
        torch.testing.assert_close(targets.sum(1), torch.ones(6))


@all_mixers
def test_the_seed_projects_style(kind):
    images, labels = batch()
    mix, same = a_mix(kind), a_mix(kind)
    mixture = mix(images)
    logits = torch.randn(6, CLASSES, generator=torch.Generator().manual_seed(1))
    mixed = same.mixed(images, labels)
    assert torch.equal(mixture, mixed.images)
    torch.testing.assert_close(mix.loss(logits, labels), cross_entropy(logits, mixed.targets))
    torch.testing.assert_close(mix.loss(logits, labels), mixed_loss(logits, labels, mixed))


@all_mixers
def test_evaluation_mode_mixes_nothing(kind):
    images, labels = batch()
    mix = a_mix(kind, label_smoothing=0.1, reformulate=True).eval()
    assert mix(images) is images
    logits = torch.randn(6, CLASSES)
    assert torch.equal(mix.loss(logits, labels), cross_entropy(logits, labels))
    assert torch.equal(mix(images, labels)[1], torch.eye(CLASSES)[labels])
    assert mix.steps.step == 0


def test_binary_cross_entropy():
    images, _ = batch()
    labels = (torch.rand(6, 4) > 0.5).float()
    mix = FMix(bce=True, each="image", seed=0)
    mixture, same = mix(images), FMix(each="image", seed=0).mixed(images)
    logits = torch.randn(6, 4)
    lam = same.lam[:, None]
    wanted = lam * labels + (1 - lam) * labels[same.partner]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)
    assert torch.equal(mixture, same.images)
    torch.testing.assert_close(mix.loss(logits, labels), expected)
    indices = torch.arange(6) % 4
    torch.testing.assert_close(mix.loss(logits, indices), mix.loss(logits, torch.eye(4)[indices]))


def test_a_loss_belongs_to_a_batch():
    with pytest.raises(ConfigurationError, match="belongs to a mixed batch"):
        FMix().loss(torch.zeros(2, 3), torch.tensor([0, 1]))
    mix = FMix()
    mix(batch(4)[0])
    with pytest.raises(ConfigurationError, match="2 labels and a mixed batch of 4"):
        mix.loss(torch.zeros(2, 3), torch.tensor([0, 1]))


@all_mixers
def test_gradients_reach_both_images(kind):
    images = batch(2)[0].requires_grad_()
    a_mix(kind, seed=1).mixed(images).images.sum().backward()
    torch.testing.assert_close(images.grad, torch.ones_like(images))


@all_mixers
def test_autocast_changes_nothing(kind):
    images, labels = batch()
    expected = a_mix(kind)(images, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = a_mix(kind)(images, labels)
    assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))


def test_a_compiled_step_draws_anew_each_time():
    images, labels = batch()
    mix, same = a_mix(FMix), a_mix(FMix)

    @torch.compile(backend="eager")
    def step(images, labels):
        mixed, targets = mix(images, labels)
        return mixed * 2, targets, mix.loss(targets, labels)

    for _ in range(2):
        mixed, targets = same(images, labels)
        expected = mixed * 2, targets, same.loss(targets, labels)
        assert all(torch.equal(a, b) for a, b in zip(step(images, labels), expected, strict=True))


@all_mixers
def test_copies_and_pickles_draw_the_same(kind):
    images, labels = batch()
    mix = a_mix(kind, each="image")
    copies = [copy.deepcopy(mix), pickle.loads(pickle.dumps(mix))]
    expected = mix(images, labels)
    for other in copies:
        assert all(torch.equal(a, b) for a, b in zip(other(images, labels), expected, strict=True))


def test_a_mixer_is_no_part_of_a_models_weights():
    assert dict(FMix(num_classes=3).state_dict()) == {}


def test_part_of_a_model():
    model = torch.nn.Sequential(torch.nn.Flatten(), a_mix(MixUp))
    model.apply(lambda module: None)  # torch's own method of this name
    assert model.eval()(batch()[0]).shape == (6, 3 * 16 * 12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None,), "images are no batch; found NoneType"),
        ((torch.zeros(3),), "images are no batch"),
        ((torch.zeros(2, 3, 8, 8), [0, 1]), "labels are no batch; found list"),
        ((torch.zeros(2, 3, 8, 8), torch.arange(3)), "of different batches"),
        ((torch.zeros(2, 3, 8, 8), torch.tensor([0, 10])), "labels are not allowed; found 0 to 10"),
        ((torch.zeros(2, 3, 8, 8), torch.tensor([0, -1])), "labels are not allowed; found -1 to 0"),
        ((torch.zeros(2, 3, 8, 8), torch.zeros(2, 3)), "labels do not fit"),
        ((torch.zeros(2, 3, 8, 8), torch.zeros(2)), "labels do not fit"),
        ((torch.zeros(2, 3, 8, 8), torch.zeros(2).long(), torch.zeros(2, 1, 4, 4)), "differ in shape"),
        ((torch.zeros(2, 3, 8, 8), torch.zeros(2).long(), torch.zeros(3, 1, 8, 8)), "differ in shape"),
        (({"image": torch.zeros(2, 3, 8, 8)},), "a batch has no label"),
    ],
)
def test_batches_that_do_not_fit(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        a_mix(CutMix)(*arguments)


@pytest.mark.parametrize("kind", [FMix, CutMix])
def test_masks_need_space(kind):
    with pytest.raises(ConfigurationError, match=f"images without space for {kind.kind.method}"):
        a_mix(kind)(torch.rand(4, 3))


@all_mixers
@all_ways
def test_the_number_of_operations_does_not_depend_on_the_batch(kind, each):
    counted = []
    for count in (8, 256):
        images, labels = batch(count)
        mix = a_mix(kind, each=each, labels="visible")
        with Operations() as operations:
            mix(images, labels % CLASSES, images[:, :1])
        counted.append(operations.names)
    assert counted[0] == counted[1]
    assert len(counted[0]) < 80
    assert [name for name in counted[0] if "scatter_add" in name or "index_add" in name or "index_put" in name] == []


def test_indices_need_the_number_of_classes():
    with pytest.raises(ConfigurationError, match="num_classes"):
        FMix()(*batch())
