import io

import numpy as np
import pytest
import torch

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import make_patch
from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.score.score import Evidence, View, view
from producers.score.witnesses import Witnesses, load_witnesses
from tests.build.tiny_models import mean_colour


def witnesses(**options):
    one = Classifier(name="colour", revision="1", network=mean_colour, preprocessing=Preprocessing(size=32))
    return Witnesses(classifiers=(one,), placement=Placement(), **options)


def a_view(label=0, seed=0):
    rng = np.random.default_rng(seed)
    alpha = np.zeros((32, 32), np.uint8)
    alpha[5:20, 7:30] = 255
    colours = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) * (alpha > 0)[..., None]
    return View(label, colours, alpha, rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))


def naive(one, greys):
    """The mean over greys, one image after another, in NumPy."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

    def probability(pixels):
        logits = np.append(((pixels - mean) / std).mean((0, 1)) * 3, np.zeros(997))
        return np.exp(logits[one.label]) / np.exp(logits).sum()

    inside = (one.alpha > 0)[..., None]
    shown = [np.where(inside, one.colours / 255, grey) for grey in np.linspace(0, 1, greys)]
    return Evidence(np.mean([probability(pixels) for pixels in shown]), probability(one.background / 255))


@pytest.mark.parametrize("greys", [1, 31])
def test_the_object_is_seen_on_all_greys_and_the_background_by_itself(greys):
    views = [a_view(label, seed=label) for label in (0, 1, 2)]
    for found, one in zip(witnesses(greys=greys).evidence(views, 1000), views, strict=True):
        expected = naive(one, greys)
        assert found.foreground == pytest.approx(expected.foreground, rel=1e-4)
        assert found.background == pytest.approx(expected.background, rel=1e-4)


def test_classifiers_are_averaged():
    certain = Classifier(
        name="sure", revision="1", network=lambda x: torch.eye(1000)[torch.zeros(len(x)).long()] * 99
    )
    both = Witnesses(classifiers=(*witnesses().classifiers, certain), placement=Placement())
    (one,), (two,) = witnesses().evidence([a_view()], 1000), both.evidence([a_view()], 1000)
    assert two.background == pytest.approx((one.background + 1) / 2, rel=1e-4)


def test_a_batch_equals_single_versions():
    views = [a_view(seed=seed) for seed in range(5)]
    together = witnesses(batch_size=BatchSize(3)).evidence(views, 1000)
    alone = [witnesses().evidence([one], 1000)[0] for one in views]
    assert [one.foreground for one in together] == pytest.approx([one.foreground for one in alone], rel=1e-5)


@pytest.mark.parametrize("found", [999, 1001, 21841])
def test_a_classifier_of_other_classes_is_refused(found):
    """One of more classes would answer, but about others."""
    other = Classifier(name="other", revision="1", network=lambda images: torch.zeros(len(images), found))
    with pytest.raises(ConfigurationError, match=f"other has other classes; found {found}; allowed: 1000"):
        Witnesses(classifiers=(other,), placement=Placement()).evidence([a_view()], 1000)


@pytest.fixture
def patched(photos):
    """An image's file, and a patch of it: an object of 120 x 40 pixels, and grey from dark to light around it."""
    photo, buffer = next(iter(photos.values())), io.BytesIO()
    photo.image.save(buffer, "JPEG", quality=95)
    high, wide = np.asarray(photo.image).shape[:2]
    mask = np.zeros((high, wide), bool)
    mask[20:60, 30:150] = True
    infilled = np.broadcast_to(np.linspace(60, 120, wide).astype(np.uint8)[None, :, None], (high, wide, 3))
    return buffer.getvalue(), make_patch(
        buffer.getvalue(), mask, infilled, key="a", label=7, encoding=Encoding(dilation=256)
    )


def test_views_show_the_object_in_a_square_and_the_middle_of_the_background(patched):
    one = view(*patched, Encoding(dilation=256), 48)
    assert one.label == 7
    assert one.colours.shape == one.background.shape == (48, 48, 3)
    assert one.background[:, 0].mean() > 65  # the sides of the image are cut off
    rows = np.flatnonzero(one.alpha[:, 24] > 127)
    assert (rows[0], rows[-1]) == (16, 31)  # 40 of 120 rows, in the middle
    assert (one.alpha[24] > 127).all()


def test_public_views_show_the_object_at_its_own_size_and_all_of_the_background(patched):
    one = view(*patched, Encoding(dilation=256), 224, "public")
    assert one.colours.shape == one.background.shape == (224, 224, 3)
    rows, columns = np.nonzero(one.alpha > 127)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (92, 131, 52, 171)
    assert one.background[:, 0].mean() == pytest.approx(60, abs=2)
    assert one.background[:, -1].mean() == pytest.approx(120, abs=2)


def test_a_torchvision_model_is_a_witness_with_its_own_size(monkeypatch):
    from torchvision import models

    build = models.get_model
    monkeypatch.setattr(models, "get_model", lambda name, weights: build(name, weights=None))
    loaded = load_witnesses(["torchvision:resnet18"], Placement(), greys=2)
    assert loaded.side == 224
    assert loaded.to_json() == {
        "classifiers": {"torchvision:resnet18": "ResNet18_Weights.IMAGENET1K_V1"},
        "greys": 2,
    }
    (evidence,) = loaded.evidence([a_view()], 1000)
    assert 0 < evidence.foreground < 1
