"""The plain U-Net: its size in numbers, shapes, and what it computes."""

import pytest

torch = pytest.importorskip("torch")

from producers.segment.networks.card import Card, NetworkSpec  # noqa: E402
from producers.segment.networks.pixels import normalized, object_logits  # noqa: E402
from producers.segment.networks.unet import UNet  # noqa: E402


def levels(widths, classes, *, bilinear):
    """Parameters by hand: 9 a b for each convolution, 2 b for its norm, 4 a b + b for what doubles, and the head."""

    def pair(a, b, between=None):
        between = between or b
        return 9 * a * between + 2 * between + 9 * between * b + 2 * b

    total, below = sum(pair(a, b) for a, b in zip([3, *widths], widths, strict=False)), widths[-1]
    for level in range(len(widths) - 2, -1, -1):
        skip = widths[level]
        if bilinear:
            wide, out = below, skip // 2 if level else skip
            total += pair(skip + wide, out, (skip + wide) // 2)
        else:
            wide, out = below // 2, skip
            total += 4 * below * wide + wide + pair(skip + wide, out)
        below = out
    return total + below * classes + classes


@pytest.mark.parametrize(
    ("widths", "classes", "bilinear", "known"),
    [
        ((64, 128, 256, 512, 1024), 1, False, 31_037_633),
        ((64, 128, 256, 512, 512), 2, True, 17_263_042),
        ((4, 8, 16), 1, False, None),
    ],
)
def test_the_papers_networks_have_their_size(widths, classes, bilinear, known):
    with torch.device("meta"):
        network = UNet(widths, classes, bilinear=bilinear)
    count = sum(one.numel() for one in network.parameters())
    assert count == levels(widths, classes, bilinear=bilinear)
    assert known in (None, count)


@pytest.mark.parametrize("bilinear", [False, True])
def test_an_answer_has_the_size_of_its_image(bilinear):
    network = UNet((4, 6, 8), 2, bilinear=bilinear).eval()
    assert network(torch.zeros(2, 3, 24, 40)).shape == (2, 2, 24, 40)


def test_colours_are_normalised_as_the_card_says():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    spec = NetworkSpec(widths=(2, 2))
    plain, other = Card(network=spec, side=16), Card(network=spec, side=16, mean=(0.1, 0.2, 0.0), std=(1, 2, 0.5))
    assert normalized(images, plain).flatten().tolist() == pytest.approx([-1, -0.6, 1])
    assert normalized(images / 255, other).flatten().tolist() == pytest.approx([-0.1, 0, 2])


def test_of_two_classes_the_sigmoid_of_the_difference_is_the_softmax():
    logits = torch.randn(2, 2, 3, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(object_logits(logits).sigmoid(), logits.softmax(1)[:, 1])
    target = torch.randint(0, 2, (2, 3, 4), generator=torch.Generator().manual_seed(2))
    both = torch.nn.functional.cross_entropy(logits, target)
    one = torch.nn.functional.binary_cross_entropy_with_logits(object_logits(logits), target.float())
    torch.testing.assert_close(one, both)
