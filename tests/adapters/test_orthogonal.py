"""Rotations of weights: the identity at first, orthogonal always, in float32, and the weight's alone."""

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from fornet_hf.adapters import AdapterConfig, merge, tune  # noqa: E402
from fornet_hf.adapters.orthogonal import Rotation  # noqa: E402
from tests.adapters.networks import stir  # noqa: E402

SHAPES = {
    "kernel 1": {"kernel_size": 1},
    "kernel 3": {"kernel_size": 3},
    "kernel 7": {"kernel_size": 7},
    "kernel 1 x 3": {"kernel_size": (1, 3), "padding": (0, 1)},
    "stride": {"kernel_size": 3, "stride": 2, "padding": 1},
    "groups": {"kernel_size": 3, "groups": 2},
    "each channel": {"kernel_size": 3, "groups": 4, "padding": 1},
    "dilation": {"kernel_size": 3, "dilation": 2, "padding": 2},
    "same": {"kernel_size": 3, "padding": "same"},
    "reflect": {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    "circular": {"kernel_size": 7, "padding": 3, "padding_mode": "circular"},
    "no bias": {"kernel_size": 3, "bias": False},
}


def network(shape=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = nn.Conv2d(4, 8, **(shape or SHAPES["kernel 3"]))
        return nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(2))


def rotated(shape=None, blocks=None, **settings):
    base = network(shape)
    base(torch.rand(1, 4, 10, 12))  # so that the lazy layer has its weights
    columns = base[0].weight[0].numel()
    blocks = blocks or next(n for n in (2, 3, 7, 1) if columns % n == 0 and columns > n)
    return tune(base.eval(), AdapterConfig(kind="oft", targets=("0",), blocks=blocks, **settings))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_rotated_convolution_begins_as_it_was(shape):
    images = torch.rand(2, 4, 10, 12)
    assert rotated(shape)[0](images).equal(network(shape)[0](images))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_merged_it_is_an_ordinary_convolution(shape):
    images, tuned = torch.rand(2, 4, 10, 12), stir(rotated(shape))
    merged = merge(tuned)
    torch.testing.assert_close(merged[0](images), tuned[0](images), rtol=0, atol=1e-6)
    assert not torch.allclose(merged[0](images), network(shape)[0](images), atol=1e-2)
    assert type(merged[0]) is nn.Conv2d
    assert [name for name, _ in merged[0].named_parameters()] == [n for n, _ in network(shape)[0].named_parameters()]


def test_it_is_the_convolution_of_rotated_patches():
    images, tuned = torch.rand(2, 4, 10, 12), stir(rotated())
    rotation, base = tuned[0].parametrizations.weight[0], network()[0]
    whole = torch.block_diag(*rotation.blocks())
    patches = nn.functional.unfold(images, 3)
    expected = base.weight.flatten(1) @ whole @ patches + base.bias[:, None]
    torch.testing.assert_close(tuned[0](images).flatten(2), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [0, 0.01, 0.1, 1])
def test_it_is_a_rotation_however_far_it_goes(scale):
    rotation = Rotation(2 * 288, 2)
    nn.init.normal_(rotation.oft_skew, std=scale)
    blocks = rotation.blocks()
    error = (blocks.mT @ blocks - torch.eye(288)).abs().max()
    assert error <= 1e-5
    assert torch.linalg.det(blocks.double()).sub(1).abs().max() < 1e-2  # no reflection


def test_autocast_leaves_it_in_float32():
    rotation = stir(rotated())[0].parametrizations.weight[0]
    weight = torch.rand(8, 4, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert rotation.blocks().dtype == torch.float32
        assert rotation(weight).equal(rotation(weight.clone()))
        within = rotation(weight)
        assert rotated()[0](torch.rand(2, 4, 10, 12)).dtype == torch.bfloat16  # the convolution is
    assert within.equal(rotation(weight))
    assert rotation(weight.bfloat16()).dtype == torch.bfloat16


def test_its_gradient_is_right():
    rotation = Rotation(8, 2).double()
    nn.init.normal_(rotation.oft_skew)
    weight = torch.rand(3, 2, 2, 2, dtype=torch.float64)

    def turned(skew):
        return torch.func.functional_call(rotation, {"oft_skew": skew}, (weight,))

    assert torch.autograd.gradcheck(turned, rotation.oft_skew.detach().requires_grad_())


def test_dropout_leaves_whole_blocks_out_in_training_alone():
    rotation = stir(rotated(blocks=12, dropout=0.5))[0].parametrizations.weight[0]
    calm = rotation.blocks()
    assert rotation.blocks().equal(calm)
    rotation.train()
    identity = torch.eye(3).expand_as(calm)
    seen = [rotation.blocks() for _ in range(20)]
    left_out = torch.stack([(blocks == identity).flatten(1).all(1) for blocks in seen])
    assert 0.3 < left_out.float().mean() < 0.7
    assert all(torch.allclose(b[~out], calm[~out]) for b, out in zip(seen, left_out, strict=True))


def of_peft(layer):
    """A layer with a rotation of peft's."""
    peft = pytest.importorskip("peft", exc_type=ImportError)
    config = peft.OFTConfig(r=2, oft_block_size=0, use_cayley_neumann=False, target_modules=["0"])
    return peft.inject_adapter_in_model(config, nn.Sequential(layer))[0]


def test_a_rotation_of_a_linear_layer_is_that_of_peft():
    layer, vectors, ours = nn.Linear(12, 5), torch.rand(4, 12), Rotation(12, 2)
    theirs = of_peft(layer)
    ours.oft_skew.data = -nn.init.normal_(theirs.oft_R["default"].weight).data  # theirs is W times R's inverse
    expected = nn.functional.linear(vectors, ours(layer.weight), layer.bias)
    torch.testing.assert_close(theirs(vectors), expected, rtol=1e-4, atol=1e-5)


def test_a_linear_layer_may_have_inputs_of_any_shape():
    """peft takes four dimensions, as in Swin and ConvNeXt, for images."""
    layer, places = nn.Linear(12, 5), torch.rand(2, 7, 7, 12)
    tuned = stir(tune(nn.Sequential(layer, nn.Linear(5, 2)), AdapterConfig(kind="oft", blocks=2, targets=("0",))))
    torch.testing.assert_close(tuned(places), tuned(places.flatten(0, 2)).reshape(2, 7, 7, 2))


def test_peft_adds_up_overlapping_patches():
    """The reason for our own: inside an even image its convolution answers k² times as much before any training.

    Other images it also mixes up: it folds what is ordered by places and then kernel as if it were the other way.
    """
    layer, images = nn.Conv2d(4, 8, 3, bias=False), torch.ones(2, 4, 8, 8)
    expected = layer(images)
    theirs = of_peft(layer)(images)
    if torch.allclose(theirs, expected, atol=1e-5):
        pytest.skip("this peft is right: its convolutions could take the place of ours")
    inner = (..., slice(2, 4), slice(2, 4))  # those answers that depend on no border
    torch.testing.assert_close(theirs[inner], 9 * expected[inner], rtol=1e-4, atol=1e-5)
