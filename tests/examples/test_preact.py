import pytest

torch = pytest.importorskip("torch")

from training.config import TrainConfig  # noqa: E402
from training.model import build_model  # noqa: E402
from training.preact import preact_resnet18  # noqa: E402


def test_it_has_the_weights_of_its_kind():
    """By hand: 3x3 convolutions of 64, 128, 256 and 512 channels, three shortcuts, norms, and the last layer."""
    stages = [(64, 64), (64, 128), (128, 256), (256, 512)]
    convolutions = 27 * 64 + sum(9 * a * b + 3 * 9 * b * b for a, b in stages)
    shortcuts = sum(a * b for a, b in stages[1:])
    norms = 2 * sum(a + 3 * b for a, b in stages) + 2 * 512
    count = sum(one.numel() for one in preact_resnet18().parameters())
    assert count == convolutions + shortcuts + norms + 5130 == 11_172_170


def test_it_takes_images_of_any_size():
    with torch.inference_mode():
        assert preact_resnet18(7).eval()(torch.zeros(1, 3, 20, 32)).shape == (1, 7)


def test_it_learns():
    torch.manual_seed(0)
    network = build_model(TrainConfig(model="preact_resnet18"), 10)
    labels = torch.arange(4) % 2
    images = torch.randn(4, 3, 8, 8) * 0.1 + labels.view(4, 1, 1, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    losses = []
    for _ in range(4):
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_block_without_its_convolutions_is_the_input():
    network = preact_resnet18()
    block = network[1]
    torch.nn.init.zeros_(block.conv2.weight)
    images = torch.randn(2, 64, 8, 8)
    assert torch.equal(block(images), images)
