"""Folders of answers: another network has another folder, the same one finds its own again."""

import numpy as np
import pytest

from fornet_hf.evaluation.answers.identity import folder_of
from fornet_hf.evaluation.models.classifier import Classifier
from tests.evaluation.fakes import SMALL, all_outputs, convolutions

torch = pytest.importorskip("torch")


class Warm(torch.nn.Module):
    """A network with a temperature, and a threshold above which colours count alike, that are no weights."""

    def __init__(self, temperature=1.0, threshold=1.0, offset=0.0):
        super().__init__()
        self.temperature, self.threshold, self.offset = temperature, threshold, offset

    def forward(self, images):
        return images.clamp(max=self.threshold).mean((2, 3)) / self.temperature + self.offset


def place(folder, network):
    classifier = Classifier(name="warm", revision="", network=network, preprocessing=SMALL)
    return folder_of(folder, classifier, all_outputs(), "float32", torch.device("cpu"), stimuli="any")


def test_networks_that_differ_in_an_attribute_have_folders_of_their_own(tmp_path):
    networks = [Warm(), Warm(temperature=1.01), Warm(threshold=0.5), Warm(offset=0.01)]
    places = [place(tmp_path, network) for network in networks]
    assert len(set(places)) == len(networks)
    assert [place(tmp_path, network) for network in networks] == places


def test_the_last_digits_of_an_answer_tell_nothing(tmp_path):
    """They depend on the device and on the number of threads."""
    assert place(tmp_path, Warm()) == place(tmp_path, Warm(offset=1e-6))


def test_what_cannot_be_read_is_not_trusted(tmp_path):
    first = place(tmp_path, Warm())
    (first / "probe.npy").write_bytes(b"\x93NUMPY")
    second = place(tmp_path, Warm())
    assert second != first
    assert place(tmp_path, Warm()) == second


def test_networks_that_answer_with_no_numbers_find_their_folder_too(tmp_path):
    assert place(tmp_path, Warm(offset=np.nan)) == place(tmp_path, Warm(offset=np.nan)) != place(tmp_path, Warm())


class Drawing(torch.nn.Module):
    def forward(self, images):
        return images.mean((2, 3)) + torch.rand(3)


def test_asking_changes_neither_the_network_nor_the_state_of_torch(tmp_path):
    network = convolutions().network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.random.get_rng_state()
    place(tmp_path, network)
    assert place(tmp_path, Drawing()) == place(tmp_path, Drawing())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random)
    assert network.training
    assert torch.is_grad_enabled()
