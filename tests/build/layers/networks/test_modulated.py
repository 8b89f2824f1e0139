"""Modulated convolutions against the formula by the image; blurs against their filter."""

import pytest

torch = pytest.importorskip("torch")
from torch.nn.functional import conv2d, conv_transpose2d  # noqa: E402

from producers.devices.carded import seeded  # noqa: E402
from producers.layers.networks.modulated import (  # noqa: E402
    Conv,
    Linear,
    ModulatedConv,
    activated,
    blurred,
    doubled,
    means,
)

RAMP = torch.tensor([1.0, 3, 3, 1]) / 8


def values(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def filtered(images, before, after):
    channels = images.shape[1]
    kernel = (RAMP[:, None] * RAMP).expand(channels, 1, 4, 4)
    return conv2d(torch.nn.functional.pad(images, (before, after, before, after)), kernel, groups=channels)


def naive(layer, images, styles):
    """Convolve each image with weights of its own."""
    results = []
    for image, scale in zip(images, layer.affine(styles), strict=True):
        weight = layer.weight * layer.gain * scale[None, :, None, None]
        if layer.demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if layer.up:
            results.append(filtered(conv_transpose2d(image[None], weight.transpose(0, 1), stride=2), 1, 1) * 4)
        else:
            results.append(conv2d(image[None], weight, padding=layer.kernel // 2))
    return torch.cat(results)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("options", [{}, {"up": True}, {"kernel": 1, "demodulate": False}])
def test_modulated_convolutions_equal_those_of_each_image(options, layout):
    layer = seeded(0, ModulatedConv, 5, 6, 7, **options).to(memory_format=layout)
    images, styles = values(3, 5, 8, 8).to(memory_format=layout), values(3, 7)
    found = layer(images, styles)
    assert found.shape == (3, 6, 16, 16) if layer.up else (3, 6, 8, 8)
    torch.testing.assert_close(found, naive(layer, images, styles), rtol=1e-5, atol=1e-5)


def test_their_gradients_equal_those_of_each_image_as_well():
    layer = seeded(0, ModulatedConv, 3, 4, 5, up=True)
    images, styles, weights = values(2, 3, 4, 4).requires_grad_(), values(2, 5), values(2, 4, 8, 8)
    of = [images, *layer.parameters()]
    want = torch.autograd.grad((naive(layer, images, styles) * weights).sum(), of)
    found = torch.autograd.grad((layer(images, styles) * weights).sum(), of)
    for one, other in zip(found, want, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_demodulated_weights_have_norm_1_whatever_the_style():
    layer = seeded(0, ModulatedConv, 64, 32, 8)
    with torch.no_grad():
        found = layer(values(4, 64, 32, 32), 5 * values(4, 8))
    assert found[:, :, 2:-2, 2:-2].std((2, 3)) == pytest.approx(torch.ones(4, 32).numpy(), abs=0.2)


def test_norms_stay_float32_under_autocast():
    layer = seeded(0, ModulatedConv, 64, 32, 8)
    images, styles = values(2, 64, 8, 8), values(2, 8)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = layer(images, styles)
        assert found.dtype == torch.bfloat16
    error = (found - layer(images, styles)).abs()
    assert error.mean() < 0.01  # of values near 1; bfloat16 has 8 bits


def test_blurs_are_those_of_the_filter():
    images = values(2, 3, 8, 8)
    torch.testing.assert_close(blurred(images, 2, 1), filtered(images, 2, 1))
    torch.testing.assert_close(blurred(images, 1, 1, stride=2), filtered(images, 1, 1)[:, :, ::2, ::2])
    for stride in (1, 2):  # as on a GPU
        torch.testing.assert_close(means(images, stride), blurred(images, 0, 0, stride=stride))
    spread = torch.zeros(2, 3, 16, 16)
    spread[:, :, ::2, ::2] = images
    torch.testing.assert_close(doubled(images), 4 * filtered(spread, 2, 1))
    bilinear = torch.nn.functional.interpolate(images, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(doubled(images)[..., 1:-1, 1:-1], bilinear[..., 1:-1, 1:-1])


@torch.no_grad()
def test_layers_scale_their_weights_as_they_are_used():
    linear = seeded(0, Linear, 400, 300, bias=2.0, rate=0.01)
    assert linear.weight.std() == pytest.approx(100, rel=0.02)
    assert linear(values(50, 400)).std() == pytest.approx(0.01 * 100, rel=0.05)
    assert linear(torch.zeros(1, 400)).unique() == pytest.approx(2)
    conv = seeded(0, Conv, 32, 64)
    assert conv(values(4, 32, 16, 16))[..., 1:-1, 1:-1].std() == pytest.approx(1, rel=0.05)
    assert seeded(0, Conv, 3, 4, down=True)(values(2, 3, 8, 8)).shape == (2, 4, 4, 4)
    assert seeded(0, Conv, 3, 4, 1, down=True)(values(2, 3, 8, 8)).shape == (2, 4, 4, 4)


def test_activations_keep_the_second_moment_and_are_clamped():
    assert activated(torch.tensor([1.0, -1.0])).tolist() == pytest.approx([2**0.5, -0.2 * 2**0.5])
    assert activated(values(10**5)).square().mean() == pytest.approx(1.04, rel=0.02)  # (1 + .2^2) / 2 * 2
    assert activated(torch.tensor([300.0, -3000.0]), 256).tolist() == [256, -256]
