"""Integrated gradients: closed forms, completeness, and captum's."""

import pytest

from tests.evaluation.saliency.networks import build, classifier, images

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.saliency.integrated_gradients import integrated_gradients  # noqa: E402


class Flat(torch.nn.Module):
    """A function of all pixels of a square image of side 4."""

    def __init__(self, power):
        super().__init__()
        self.power = power
        weights = torch.randn(3, 48, generator=torch.Generator().manual_seed(0))
        self.weights = torch.nn.Parameter(weights)

    def forward(self, images):
        return (images.flatten(1) ** self.power) @ self.weights.T


def plain(network):
    """Return a classifier without normalising."""
    made = classifier(network, 4)
    object.__setattr__(made.preprocessing, "mean", (0.0, 0.0, 0.0))
    object.__setattr__(made.preprocessing, "std", (1.0, 1.0, 1.0))
    return made


@pytest.mark.parametrize(("power", "steps"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_polynomials_are_exact(power, steps):
    """Each pixel of weight w and value x contributes w x^p from black; n steps are exact to degree 2n-1."""
    made = plain(Flat(power))
    shown = images(2, 4)
    found = integrated_gradients(made, shown, steps=steps)
    best = made.logits(shown).argmax(1)
    expected = made.network.weights.detach()[best].view(2, 3, 4, 4) * shown**power
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("baseline", ["black", "mean"])
@pytest.mark.parametrize("family", ["resnet", "vit with registers", "torchvision swin"])
def test_attributions_sum_to_the_difference_of_scores(family, baseline):
    made, _, _ = build(family)
    size = made.preprocessing.size
    shown = images(2, size)
    found = integrated_gradients(made, shown, steps=40, baseline=baseline)
    colour = torch.tensor(made.preprocessing.mean if baseline == "mean" else (0.0,) * 3).view(3, 1, 1)
    with torch.no_grad():
        logits = made.logits(shown)
        start = made.logits(colour.expand(2, 3, size, size))
    best = logits.argmax(1, keepdim=True)
    difference = (logits - start).gather(1, best)[:, 0]
    torch.testing.assert_close(found.sum((1, 2, 3)), difference, rtol=0.02, atol=0.002)


def test_the_baseline_itself_has_no_importance():
    made, _, _ = build("resnet")
    assert not integrated_gradients(made, torch.zeros(2, 3, 64, 64), steps=3).any()


@pytest.mark.parametrize("batch", [None, 2, 3, 4, 100])
def test_passes_of_any_size_give_the_same(batch):
    made, _, _ = build("resnet")
    shown = images(2, 64)
    expected = torch.cat([integrated_gradients(made, one[None], steps=5) for one in shown])
    found = integrated_gradients(made, shown, steps=5, batch=batch)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("family", ["resnet", "vit", "torchvision swin"])
def test_it_agrees_with_captum(family):
    attributions = pytest.importorskip("captum.attr", exc_type=ImportError)
    made, _, _ = build(family)
    shown = images(2, made.preprocessing.size)
    allowed = torch.nn.functional.one_hot(torch.tensor([1, 3]), made.logits(shown).shape[1]).bool()
    theirs = attributions.IntegratedGradients(made.logits).attribute(shown, target=torch.tensor([1, 3]), n_steps=7)
    found = integrated_gradients(made, shown, allowed, steps=7)
    torch.testing.assert_close(found, theirs.float(), rtol=1e-3, atol=1e-5)
