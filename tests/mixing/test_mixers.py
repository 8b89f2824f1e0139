"""FMix, CutMix and MixUp on batches of all kinds."""

from __future__ import annotations

import copy
import pickle
from collections import namedtuple

import pytest

from fornet_hf.errors import ConfigurationError
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")
from torch.nn.functional import cross_entropy  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from fornet_hf.mixing import CutMix, FMix, MixUp, mixed_loss  # noqa: E402

MIXERS = [FMix, CutMix, MixUp]
EACH = ["batch", "image"]
CLASSES = 10

all_mixers = pytest.mark.parametrize("kind", MIXERS)
all_ways = pytest.mark.parametrize("each", EACH)


def batch(count=6, size=(16, 12), channels=3, dtype=torch.float32):
    generator = torch.Generator().manual_seed(count)
    images = torch.rand(count, channels, *size, generator=generator).to(dtype)
    return images, torch.arange(count) % CLASSES


def a_mix(kind, **parameters):
    return kind(**{"num_classes": CLASSES, "seed": 0, **parameters})


@all_mixers
@all_ways
@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_pixels_and_targets_are_the_weighted_means_of_the_pairs(kind, each, count):
    images, labels = batch(count)
    mixed = a_mix(kind, each=each).mixed(images, labels)
    assert mixed.weights.shape[0] == (1 if each == "batch" else count)
    expected = mixed.weights * images + (1 - mixed.weights) * images[mixed.partner]
    torch.testing.assert_close(mixed.images, expected)
    hard = torch.eye(CLASSES)[labels]
    lam = mixed.lam[:, None]
    torch.testing.assert_close(mixed.targets, lam * hard + (1 - lam) * hard[mixed.partner])
    torch.testing.assert_close(mixed.targets.sum(1), torch.ones(count))
    assert sorted(mixed.partner.tolist()) == list(range(count))


@all_mixers
def test_a_value_for_each_image_and_one_for_the_batch(kind):
    images, labels = batch(6)
    assert len(set(a_mix(kind, each="image").mixed(images, labels).lam.tolist())) == 6
    assert len(set(a_mix(kind, each="batch").mixed(images, labels).lam.tolist())) == 1


@all_mixers
@all_ways
def test_what_is_given_stays_as_it_is(kind, each):
    images, labels = batch()
    masks = (images[:, :1] > 0.5).to(torch.uint8) * 255
    given = [images, labels, masks]
    before = [tensor.clone() for tensor in given]
    mixed = a_mix(kind, each=each).mixed(*given)
    assert all(torch.equal(tensor, old) for tensor, old in zip(given, before, strict=True))
    assert not torch.equal(mixed.images, images)


@all_mixers
@all_ways
def test_constant_images_stay_between_their_two_values(kind, each):
    images = torch.tensor([2.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 32, 32)
    mixtures = (a_mix(kind, each=each, seed=seed).mixed(images) for seed in range(20))
    mixed = next(mixed for mixed in mixtures if mixed.partner.tolist() == [1, 0])
    share = (mixed.images - images.flip(0)).mean((1, 2, 3)) / (images - images.flip(0)).mean((1, 2, 3))
    assert mixed.images.min() >= 1
    assert mixed.images.max() <= 2
    torch.testing.assert_close(share, mixed.lam, atol=1 / 1024, rtol=0)


@all_mixers
@pytest.mark.parametrize("lam", [0.0, 1.0])
def test_the_ends_of_lambda_are_the_two_images(kind, lam):
    from fornet_hf.mixing import Mix

    images, labels = batch(4, (8, 8))
    box = ((0, 8), (0, 8)) if lam == 0 else ((3, 3), (2, 2))
    boxes = (box,) if kind is CutMix else ()
    drawn = Mix(method=kind.kind.method, partner=(1, 2, 3, 0), lam=(lam,), boxes=boxes)
    mixed = a_mix(kind).applied(drawn, images, labels)
    other = [1, 2, 3, 0] if lam == 0 else [0, 1, 2, 3]
    assert torch.equal(mixed.images, images[other])
    assert torch.equal(mixed.targets, torch.eye(CLASSES)[labels[other]])


@all_mixers
def test_a_partner_that_is_the_image_itself_changes_nothing(kind):
    images, labels = batch(1)
    got, targets = a_mix(kind, label_smoothing=0.1)(images, labels)
    torch.testing.assert_close(got, images)
    torch.testing.assert_close(targets.max(), torch.tensor(0.9 + 0.1 / CLASSES))


def test_smoothing_of_a_thousand_classes():
    _, targets = MixUp(num_classes=1000, label_smoothing=0.1, p=0.0)(*batch())
    assert sorted(set(targets.flatten().tolist())) == pytest.approx([0.0001, 0.9001])


@all_mixers
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_labels_of_any_integer_dtype(kind, dtype):
    images, labels = batch()
    expected = a_mix(kind)(images, labels)[1]
    assert torch.equal(a_mix(kind)(images, labels.to(dtype))[1], expected)
    assert expected.dtype == torch.float32


@all_mixers
def test_labels_that_are_probabilities_already(kind):
    images, labels = batch()
    soft = torch.eye(CLASSES)[labels]
    expected = a_mix(kind, label_smoothing=0.1)(images, labels)[1]
    assert torch.equal(a_mix(kind, label_smoothing=0.1, num_classes=None)(images, soft)[1], expected)
    assert a_mix(kind)(images, soft.to(torch.bfloat16))[1].dtype == torch.float32


@all_mixers
@all_ways
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.uint8])
def test_images_of_other_dtypes(kind, each, dtype):
    images, labels = batch()
    images = (images * 255).round() if dtype == torch.uint8 else images
    exact = a_mix(kind, each=each).mixed(images.to(dtype).double(), labels)
    mixed = a_mix(kind, each=each).mixed(images.to(dtype), labels)
    assert mixed.images.dtype == dtype
    step = 0.5 if dtype == torch.uint8 else torch.finfo(dtype).eps
    assert (mixed.images.double() - exact.images).abs().max() <= step + 1e-6
    assert torch.equal(mixed.targets, exact.targets)


@all_mixers
def test_complex_spectra_of_sound(kind):
    images = torch.complex(batch(size=(50,))[0], batch(size=(50,))[0].flip(0))
    mixed = a_mix(kind).mixed(images)
    torch.testing.assert_close(mixed.images, mixed.weights * images + (1 - mixed.weights) * images[mixed.partner])


@all_mixers
@all_ways
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_memory_format_stays(kind, each, layout):
    images = batch()[0].contiguous(memory_format=layout)
    assert a_mix(kind, each=each)(images).is_contiguous(memory_format=layout)


@all_mixers
@all_ways
@pytest.mark.parametrize("size", [(50,), (9, 7), (4, 5, 6)])
def test_signals_images_and_volumes(kind, each, size):
    images, labels = batch(5, size, channels=2)
    mixed = a_mix(kind, each=each).mixed(images, labels)
    assert mixed.images.shape == images.shape
    assert mixed.weights.mean(tuple(range(1, images.ndim))) == pytest.approx(
        mixed.lam[: len(mixed.weights)].numpy(), abs=1 / torch.Size(size).numel()
    )


@all_mixers
@pytest.mark.parametrize("max_soft", [0.0, 0.3])
def test_masks_are_mixed_as_their_images_are(kind, max_soft):
    images = batch()[0]
    soft = {"max_soft": max_soft} if kind is FMix else {}
    mixed = a_mix(kind, each="image", **soft).mixed(images, masks=images[:, :1])
    assert torch.equal(mixed.masks, mixed.images[:, :1])
    flat = a_mix(kind, each="image", **soft).mixed(images, masks=images[:, 0])
    assert torch.equal(flat.masks, mixed.images[:, 0])


def test_masks_of_bytes_are_averaged_to_bytes():
    images, masks = batch()[0], torch.tensor([0, 255] * 3, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 1, 16, 12)
    mixed = a_mix(MixUp).mixed(images, masks=masks)
    exact = mixed.weights * masks + (1 - mixed.weights) * masks[mixed.partner]
    assert mixed.masks.dtype == torch.uint8
    assert torch.equal(mixed.masks, exact.round().to(torch.uint8))


def test_labels_by_visible_area():
    images, labels = batch(2, (8, 8))
    masks = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    masks[0, :, :, :2], masks[1, :, :4] = 255, 255
    mixed = a_mix(CutMix, labels="visible", each="image", seed=5).mixed(images, labels, masks)
    seen = (mixed.weights * masks).sum((1, 2, 3))
    other = ((1 - mixed.weights) * masks[mixed.partner]).sum((1, 2, 3))
    torch.testing.assert_close(mixed.lam, seen / (seen + other))
    torch.testing.assert_close(mixed.targets[range(2), labels], mixed.lam)


def test_labels_by_visible_area_need_masks():
    with pytest.raises(ConfigurationError, match="need masks"):
        a_mix(CutMix, labels="visible")(*batch())


@all_mixers
def test_the_label_of_the_image_alone(kind):
    images, labels = batch()
    mixed = a_mix(kind, reformulate=True).mixed(images, labels)
    assert torch.equal(mixed.lam, torch.ones(6))
    assert torch.equal(mixed.targets, torch.eye(CLASSES)[labels])
    assert not torch.equal(mixed.images, images)


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


class Operations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


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
