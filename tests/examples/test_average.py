import copy

import pytest

torch = pytest.importorskip("torch")

from fornet_hf.adapters import AdapterConfig, tune  # noqa: E402
from training.average import moving_average  # noqa: E402


def test_the_average_follows_slowly_and_soon_at_first():
    network = torch.nn.Linear(2, 1)
    average = moving_average(network, 0.5)
    expected = None
    for step, keep in enumerate([0.0, 2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 7 / 16, 8 / 17, 0.5, 0.5]):
        with torch.no_grad():
            network.weight.fill_(float(step))
        average.update_parameters(network)
        expected = float(step) if expected is None else keep * expected + (1 - keep) * step
        assert average.module.weight[0, 0].item() == pytest.approx(expected)


def test_statistics_are_averaged_and_frozen_parameters_stay():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    average = moving_average(network, 0.9)
    before = copy.deepcopy(network.state_dict())
    for _ in range(3):
        network(torch.rand(8, 3, 4, 4) + 5)
        average.update_parameters(network)
    mean = average.module[1].running_mean
    assert not torch.equal(mean, before["1.running_mean"])
    assert not torch.equal(mean, network[1].running_mean)
    assert torch.equal(average.module[0].weight, before["0.weight"])


def test_integers_are_not_averaged():
    network = torch.nn.Linear(2, 1)
    network.register_buffer("index", torch.arange(200))
    average = moving_average(network, 0.99)
    for _ in range(20):
        average.update_parameters(network)
    assert torch.equal(average.module.index, network.index)


def test_averaged_rotations_are_rotations():
    torch.manual_seed(0)
    head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4 * 8 * 8, 2))
    network = tune(
        torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), head), AdapterConfig(kind="oft", blocks=3)
    )
    plain, average = network[0].parametrizations.weight.original.clone(), moving_average(network, 0.9)
    for _ in range(3):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter) * parameter.requires_grad)
        average.update_parameters(network)
    turned = average.module[0].weight.flatten(1)
    assert not torch.allclose(turned, plain.flatten(1), atol=1e-2)
    assert torch.allclose(turned.norm(dim=1), plain.flatten(1).norm(dim=1), atol=1e-5)
    assert not torch.equal(turned, network[0].weight.flatten(1))
