"""The digest of weights, and what a classifier does to images."""

from types import SimpleNamespace

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.models.classifier import Classifier, weights_digest
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from tests.evaluation.fakes import remembering

torch = pytest.importorskip("torch")


class Weights:
    """A network as far as its weights go."""

    def __init__(self, **tensors):
        self.state_dict = lambda: tensors


def test_a_digest_names_weights_whatever_the_order_they_come_in():
    one, two = torch.arange(3.0), torch.tensor(2)
    digest = weights_digest(Weights(a=one, b=two))
    assert weights_digest(Weights(b=two.clone(), a=one.clone())) == digest
    changed = {"value": (one + 1e-7, two), "shape": (one[:, None], two), "dtype": (one.int(), two)}
    others = [weights_digest(Weights(a=a, b=b)) for a, b in changed.values()]
    assert len({digest, *others, weights_digest(Weights(a=one, c=two))}) == 5
    assert len(weights_digest(Weights(a=one.bfloat16()))) == 64


@pytest.mark.skipif(not hasattr(torch, "quantize_per_tensor"), reason="a later torch has none")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_digest_follows_the_weights_of_a_quantised_network():
    def packed(scale, bias):
        weight = torch.quantize_per_tensor(torch.ones(3), scale, 0, torch.qint8)
        return weights_digest(Weights(kind=torch.qint8, first=weight, second=(weight, None), third=[bias]))

    digest = packed(0.5, torch.ones(1))
    assert packed(0.5, torch.ones(1)) == digest
    assert len({digest, packed(0.6, torch.ones(1)), packed(0.5, torch.zeros(1)), weights_digest(Weights())}) == 4


def test_images_are_resized_and_normalised_before_they_are_classified():
    seen = []
    preprocessing = Preprocessing(size=8, mean=(0.5, 0.25, 0.0), std=(0.5, 1.0, 2.0))
    one = Classifier(
        name="own", revision="1", network=lambda x: seen.append(x) or x.mean((2, 3)), preprocessing=preprocessing
    )
    logits = one.logits(torch.ones(2, 3, 4, 4))
    assert seen[0].shape == (2, 3, 8, 8)
    assert logits[0].tolist() == pytest.approx([1.0, 0.75, 0.5])


def test_asking_for_outputs_changes_nothing_and_the_digest_follows_the_weights():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten()).train()
    network.append(torch.nn.LazyLinear(5))
    classifier = Classifier(name="c", revision="", network=network, preprocessing=Preprocessing(size=8))
    assert classifier.outputs == 5
    assert network.training
    assert int(network[1].num_batches_tracked) == 0
    before = classifier.identity.digest
    with torch.no_grad():
        network[0].bias += 1
    assert classifier.identity.digest != before


def answering(function):
    return Classifier(name="own", revision="", network=function, preprocessing=Preprocessing(size=8))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda x: (x.mean((2, 3)), x), "tuple"),
        (lambda x: {"logits": x.mean((2, 3))}, "dict"),
        (lambda x: x.mean((1, 2, 3)), r"Tensor \(1,\)"),
        (lambda x: x, r"Tensor \(1, 3, 8, 8\)"),
        (lambda x: x.mean((2, 3)).numpy(), r"ndarray \(1, 3\)"),
        (lambda x: None, "NoneType"),
    ],
    ids=["tuple", "dict", "one dimension", "images", "NumPy", "nothing"],
)
def test_what_is_no_logits_is_told(answer, found):
    told = rf"own does not answer with logits; found {found}; allowed: a tensor of 1 x classes.* Wrap the network"
    with pytest.raises(ConfigurationError, match=told):
        _ = answering(answer).outputs


def test_an_output_may_have_its_logits_inside():
    one = answering(lambda x: SimpleNamespace(logits=x.mean((2, 3)), hidden=x))
    assert one.outputs == 3
    assert one.logits(torch.ones(2, 3, 8, 8)).shape == (2, 3)


def test_a_network_that_fails_is_told_with_what_it_was_given():
    wide = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 9 * 9, 2))
    with pytest.raises(
        ConfigurationError, match=r"own cannot answer images; found RuntimeError: mat1.*1 x 3 x 8 x 8"
    ):
        _ = answering(wide).outputs


def test_what_a_network_keeps_while_it_is_asked_for_its_outputs_may_be_used_with_gradients_later():
    network = remembering()
    assert Classifier(name="own", revision="1", network=network).outputs == 3
    network(torch.ones(1, 3, 2, 2, requires_grad=True)).sum().backward()
