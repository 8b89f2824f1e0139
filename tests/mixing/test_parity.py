"""The same pixels and targets as timm's and torchvision's, for their parameters."""

from __future__ import annotations

import numpy as np
import pytest

from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")
try:
    v2 = import_torchvision().transforms.v2
    from timm.data import mixup as timm
except ImportError as error:
    pytest.skip(f"needs torchvision and timm: {error}", allow_module_level=True)

from fornet_hf.mixing import CutMix, Mix, MixUp  # noqa: E402

COUNT, CLASSES, SIZE = 6, 7, (20, 30)
LABELS = torch.tensor([3, 0, 6, 1, 1, 5])
FLIP = tuple(reversed(range(COUNT)))
ROLL = tuple(number - 1 for number in [COUNT, *range(1, COUNT)])


def images():
    return torch.rand(COUNT, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def mixed(kind, partner, lam, boxes=(), **parameters):
    drawn = Mix(method=kind.kind.method, partner=partner, lam=tuple(lam), boxes=tuple(boxes))
    return kind(num_classes=CLASSES, **parameters).applied(drawn, images(), LABELS)


def noted(monkeypatch, module, name):
    """Note the results of a function from here on."""
    results, function = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given, **more: results.append(function(*given, **more)) or results[-1])
    return results


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_mixup_is_timms(seed, smoothing):
    np.random.seed(seed)  # noqa: NPY002  # timm draws from it
    lam = np.random.RandomState(seed)
    lam.rand()
    share = float(lam.beta(1.0, 1.0))
    x, targets = timm.Mixup(mixup_alpha=1.0, label_smoothing=smoothing, num_classes=CLASSES)(images(), LABELS)
    ours = mixed(MixUp, FLIP, [share], label_smoothing=smoothing)
    torch.testing.assert_close(ours.images, x)
    torch.testing.assert_close(ours.targets, targets)


@pytest.mark.parametrize("correct_lam", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_cutmix_is_timms(seed, correct_lam, monkeypatch):
    np.random.seed(seed)  # noqa: NPY002
    found = noted(monkeypatch, timm, "cutmix_bbox_and_lam")
    mixup = timm.Mixup(mixup_alpha=0.0, cutmix_alpha=1.0, correct_lam=correct_lam, num_classes=CLASSES)
    x, targets = mixup(images(), LABELS)
    [((top, bottom, left, right), lam)] = found
    ours = mixed(CutMix, FLIP, [lam], [((top, bottom), (left, right))], label_smoothing=0.1)
    assert torch.equal(ours.images, x)
    torch.testing.assert_close(ours.targets, targets)


def test_cutmix_with_a_box_an_image_is_timms(monkeypatch):
    np.random.seed(0)  # noqa: NPY002
    found = noted(monkeypatch, timm, "cutmix_bbox_and_lam")
    mixup = timm.Mixup(mixup_alpha=0.0, cutmix_alpha=1.0, mode="elem", num_classes=CLASSES)
    x, targets = mixup(images(), LABELS)
    boxes, lam = [((a, b), (c, d)) for (a, b, c, d), _ in found], [share for _, share in found]
    assert len(boxes) == COUNT
    ours = mixed(CutMix, FLIP, lam, boxes, label_smoothing=0.1, each="image")
    assert torch.equal(ours.images, x)
    torch.testing.assert_close(ours.targets, targets)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [CutMix, MixUp])
def test_torchvisions(kind, seed, monkeypatch):
    torch.manual_seed(seed)
    theirs = getattr(v2, kind.__name__)(num_classes=CLASSES)
    found = noted(monkeypatch, theirs, "make_params")
    x, targets = theirs(images(), LABELS)
    [made] = found
    left, top, right, bottom = made.get("box", (0, 0, 0, 0))
    boxes = [((top, bottom), (left, right))] if kind is CutMix else []
    ours = mixed(kind, ROLL, [made.get("lam_adjusted", made.get("lam"))], boxes)
    torch.testing.assert_close(ours.images, x)
    torch.testing.assert_close(ours.targets, targets)


def test_in_timms_training_loop():
    """timm calls `mixup_fn(input, target)`, and turns it off by its switch."""
    mixup_fn = CutMix(num_classes=CLASSES, label_smoothing=0.1)
    _, targets = mixup_fn(images(), LABELS)
    mixup_fn.mixup_enabled = False
    same, plain = mixup_fn(images(), LABELS)
    assert targets.shape == (COUNT, CLASSES)
    assert torch.equal(same, images())
    off = timm.mixup_target(LABELS, CLASSES, lam=1.0, smoothing=0.1)
    torch.testing.assert_close(plain, off)
