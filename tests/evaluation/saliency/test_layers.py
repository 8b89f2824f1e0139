"""The layer that maps are made of is found in every family, and read on the right grid."""

import pytest

from fornet_hf.errors import ConfigurationError
from tests.evaluation.saliency.networks import FAMILIES, Linear, build, classifier, images

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.saliency.activations import activation_maps  # noqa: E402
from fornet_hf.evaluation.saliency.layers import hooked, target_layer  # noqa: E402


@pytest.mark.parametrize("family", FAMILIES)
def test_the_layer_and_its_grid_are_found(family):
    made, name, grid = build(family)
    size = made.preprocessing.size
    layer = target_layer(made, images(1, size))
    assert (layer.name, layer.reading.grid) == (name, grid)
    maps = activation_maps(made, images(3, size), None, layer, ["gradcam", "gradcam++"])
    assert all(one.shape == (3, size, size) and one.isfinite().all() for one in maps.values())
    assert maps["gradcam"].any()
    assert not any(module._forward_hooks for module in made.network.modules() if module is not made.network)


@pytest.mark.parametrize(("family", "prefix"), [("vit", 1), ("deit", 2), ("vit with registers", 5), ("swin", 0)])
def test_tokens_that_are_no_patches_come_first(family, prefix):
    made, _, _ = build(family)
    assert target_layer(made, images(1, made.preprocessing.size)).reading.prefix == prefix


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("vit with registers", "blocks.0.norm1"),
        ("torchvision vit", "encoder.layers.encoder_layer_0.ln_1"),
        ("transformers dinov2", "dinov2_with_registers.encoder.layer.0.norm1"),
        ("swin", "layers.0.blocks.0.norm1"),
        ("torchvision swin", "features.1.0.norm1"),
    ],
)
def test_maps_are_in_the_order_of_the_image(family, name):
    """Before tokens are mixed, the patch that changes in the image is the one that changes in the maps."""
    made, _, _ = build(family)
    size = made.preprocessing.size
    layer = target_layer(made, images(1, size), name)
    rows, columns = layer.reading.grid
    row, column, side = rows - 1, 1, size // rows
    other = images(1, size)
    other[:, :, row * side : (row + 1) * side, column * side : (column + 1) * side] = 0
    seen = []
    with torch.no_grad(), hooked({name: layer.module}, lambda _, output: seen.append(output)):
        made.logits(images(1, size))
        made.logits(other)
    before, after = (layer.reading.maps(one) for one in seen)
    assert before.shape[2:] == (rows, columns)
    assert (before != after).any(1)[0].nonzero().tolist() == [[row, column]]


def test_a_layer_can_be_named():
    made, _, _ = build("resnet")
    layer = target_layer(made, images(1, 64), "layer2")
    assert (layer.name, layer.reading.grid) == ("layer2", (8, 8))


@pytest.mark.parametrize(
    ("name", "message"),
    [("layer9", "layer9, which it does not have"), ("fc", "fc, which holds none"), (None, "Name a layer")],
)
def test_what_holds_no_feature_maps_is_refused(name, message):
    made = classifier(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 4)), 8)
    if name:
        made, _, _ = build("resnet")
    with pytest.raises(ConfigurationError, match=message):
        target_layer(made, images(1, made.preprocessing.size), name)


def test_a_network_of_another_kind_has_no_layers():
    with pytest.raises(ConfigurationError, match="Name a layer"):
        target_layer(classifier(lambda x: x.mean((2, 3)), 8), images(1, 8))


def test_hooks_are_removed_when_the_network_fails():
    network = Linear()
    network.head = torch.nn.Linear(99, 4)
    with pytest.raises(RuntimeError):
        target_layer(classifier(network, 8), images(1, 8))
    assert not any(module._forward_hooks for module in network.modules())
