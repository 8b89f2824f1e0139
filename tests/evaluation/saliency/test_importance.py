"""All methods by one call."""

import pytest

from tests.evaluation.saliency.networks import build, classifier, images

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.saliency.configuration import METHODS, SaliencyConfig  # noqa: E402
from fornet_hf.evaluation.saliency.importance import importance  # noqa: E402
from fornet_hf.evaluation.saliency.integrated_gradients import integrated_gradients  # noqa: E402


@pytest.mark.parametrize("family", ["resnet", "vit with registers", "swin"])
def test_each_method_gives_maps_of_the_image(family):
    made, _, _ = build(family)
    size = made.preprocessing.size
    found = importance(made, images(2, size), config=SaliencyConfig(steps=3))
    assert list(found) == list(METHODS)
    for one in found.values():
        assert (one.shape, one.dtype, one.requires_grad) == ((2, size, size), torch.float32, False)
        assert (one >= 0).all()
        assert one.isfinite().all()


def test_signs_are_of_a_pixels_colours_together():
    made, _, _ = build("resnet")
    shown = images(2, 64)
    signed = integrated_gradients(made, shown, steps=3).sum(1)
    for sign, expected in (("absolute", signed.abs()), ("positive", signed.clamp(min=0))):
        config = SaliencyConfig(methods=["integrated_gradients"], steps=3, sign=sign)
        torch.testing.assert_close(importance(made, shown, config=config)["integrated_gradients"], expected)
    assert (signed < 0).any()


def test_integrated_gradients_need_no_layers():
    made = classifier(lambda x: x.mean((2, 3)), 8)
    config = SaliencyConfig(methods=["integrated_gradients"], steps=1)
    assert importance(made, images(1, 8), config=config)["integrated_gradients"].any()


def test_the_configuration_s_layer_is_the_one_whose_maps_are_made():
    made, _, _ = build("resnet")
    shown = images(1, 64)
    last, early = (
        importance(made, shown, config=SaliencyConfig(methods=["gradcam"], layer=layer))["gradcam"]
        for layer in (None, "layer2")
    )
    assert not torch.equal(last, early)
