"""Class activation maps against the papers' formulas, written out slowly, and against captum."""

import gc
import weakref

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from tests.evaluation.saliency.networks import Linear, build, classifier, images

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.saliency.activations import activation_maps  # noqa: E402
from fornet_hf.evaluation.saliency.layers import target_layer  # noqa: E402

BOTH = ["gradcam", "gradcam++"]


def tiny(size=6, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return classifier(Linear().eval(), size)


def outputs(*numbers, of):
    """Return the candidates of images whose class has one output each."""
    return torch.nn.functional.one_hot(torch.tensor(numbers), of).bool()


def derivatives(total, features, times):
    """Return the pure derivatives of a number by each value of the features, of order 1 to `times`."""
    result = []
    for index in np.ndindex(*features.shape):
        value, orders = total, []
        for _ in range(times):
            (gradients,) = torch.autograd.grad(value, features, create_graph=True)
            value = gradients[index]
            orders.append(float(value.detach()))
        result.append(orders)
    return np.array(result).reshape(*features.shape, times)


def upscaled(small, size):
    """Return a map scaled up bilinearly, centre on centre, edges repeated."""
    places = (np.arange(size) + 0.5) * len(small) / size - 0.5
    low = np.floor(places).astype(int)
    share = places - low
    first, second = (np.clip(one, 0, len(small) - 1) for one in (low, low + 1))
    rows = small[first] * (1 - share)[:, None] + small[second] * share[:, None]
    return rows[:, first] * (1 - share) + rows[:, second] * share


def test_maps_follow_the_papers():
    """Grad-CAM++ as defined: by derivatives of exp(score), of which ours leaves the factor exp(score) out."""
    made = tiny()
    made.network.double()
    shown, classes = images(3, 6).double(), [2, 0, 2]
    layer = target_layer(made, shown[:1])
    maps = activation_maps(made, shown, outputs(*classes, of=4), layer, BOTH)
    for number, (image, label) in enumerate(zip(shown, classes, strict=True)):
        mean, std = (torch.tensor(values).double().view(3, 1, 1) for values in (
            made.preprocessing.mean, made.preprocessing.std
        ))  # fmt: skip
        features = made.network.features(((image - mean) / std)[None])[0].detach().requires_grad_()
        score = made.network.head(features.mean((1, 2)))[label]
        values = features.detach().numpy()
        first = derivatives(score, features, 1)[..., 0]
        expected = np.maximum((first.mean((1, 2))[:, None, None] * values).sum(0), 0)
        np.testing.assert_allclose(maps["gradcam"][number], upscaled(expected, 6), rtol=1e-4, atol=1e-7)
        one, two, three = np.moveaxis(derivatives(score.exp(), features, 3), 3, 0)
        alpha = two / (2 * two + (values.sum((1, 2)))[:, None, None] * three)
        weights = (alpha * np.maximum(one, 0)).sum((1, 2)) / float(score.detach().exp())
        expected = np.maximum((weights[:, None, None] * values).sum(0), 0)
        np.testing.assert_allclose(maps["gradcam++"][number], upscaled(expected, 6), rtol=1e-4, atol=1e-7)
    assert all(one.any() for one in maps.values())


@pytest.mark.parametrize("family", ["resnet", "convnext", "torchvision densenet"])
def test_gradcam_agrees_with_captum(family):
    attributions = pytest.importorskip("captum.attr", exc_type=ImportError)
    made, _, _ = build(family)
    shown = images(3, 64)
    layer = target_layer(made, shown[:1])
    theirs = attributions.LayerGradCam(made.logits, layer.module).attribute(
        shown, target=torch.tensor([1, 2, 3]), relu_attributions=True
    )
    theirs = torch.nn.functional.interpolate(theirs, (64, 64), mode="bilinear")[:, 0]
    maps = activation_maps(made, shown, outputs(1, 2, 3, of=made.logits(shown).shape[1]), layer, ["gradcam"])
    torch.testing.assert_close(maps["gradcam"], theirs.detach())


@pytest.mark.parametrize("family", ["resnet", "vit with registers", "swin"])
def test_maps_of_a_batch_are_those_of_its_images(family):
    made, _, _ = build(family)
    shown = images(3, made.preprocessing.size)
    layer = target_layer(made, shown[:1])
    together = activation_maps(made, shown, None, layer, BOTH)
    for number in range(3):
        alone = activation_maps(made, shown[number : number + 1], None, layer, BOTH)
        for method in BOTH:
            torch.testing.assert_close(together[method][number], alone[method][0], rtol=1e-3, atol=1e-6)


class Quadrant(torch.nn.Module):
    """Looks at the lower left quarter of the image alone; class 0 likes it bright."""

    def __init__(self):
        super().__init__()
        self.features = torch.nn.Conv2d(3, 4, 4, 4)
        torch.nn.init.constant_(self.features.weight, 0.1)
        torch.nn.init.zeros_(self.features.bias)

    def forward(self, images):
        maps = self.features(images)
        rows, columns = maps.shape[2] // 2, maps.shape[3] // 2
        seen = maps[:, :, rows:, :columns].mean((1, 2, 3)) ** 2
        return torch.stack([seen, -seen], 1)


@pytest.mark.parametrize("method", BOTH)
def test_a_named_layer_of_a_model_that_looks_at_one_quarter_has_its_gradients_there(method):
    """Grad-CAM's weights are means over all places, so its maps follow features; here only the quarter has any."""
    made = classifier(Quadrant().eval(), 32)
    shown = torch.tensor(made.preprocessing.mean).view(3, 1, 1).expand(2, 3, 32, 32).clone()
    shown[:, :, 16:, :16] = 1
    layer = target_layer(made, shown[:1])
    found = activation_maps(made, shown, None, layer, [method])[method]
    inside = found[:, 16 - 4 :, : 16 + 4].sum((1, 2))  # scaling up spreads half a cell
    assert (found > 0)[:, 16:, :16].all()
    torch.testing.assert_close(inside, found.sum((1, 2)))


def test_a_map_is_not_rescaled():
    """Twice the score gives twice the map, and what is 0 stays 0."""
    made = tiny()
    shown = images(2, 6)
    layer = target_layer(made, shown[:1])
    once = activation_maps(made, shown, None, layer, ["gradcam"])["gradcam"]
    with torch.no_grad():
        made.network.head.weight *= 2
        made.network.head.bias *= 2
    torch.testing.assert_close(activation_maps(made, shown, None, layer, ["gradcam"])["gradcam"], 2 * once)


def test_the_best_output_of_a_class_is_explained():
    made = tiny()
    shown = images(4, 6)
    layer = target_layer(made, shown[:1])
    with torch.no_grad():
        made.network.head.bias -= made.logits(shown).mean(0)  # no class is always the best
    allowed = torch.tensor([[False, True, True, False]]).expand(4, 4)
    best = made.logits(shown)[:, 1:3].argmax(1) + 1
    found = activation_maps(made, shown, allowed, layer, ["gradcam"])["gradcam"]
    alone = activation_maps(made, shown, outputs(*best.tolist(), of=4), layer, ["gradcam"])["gradcam"]
    torch.testing.assert_close(found, alone)
    assert len(set(best.tolist())) == 2


def test_a_network_is_left_as_it_was():
    made = tiny()
    made.network.train()
    made.network.head.bias.requires_grad_(requires_grad=False)
    layer = target_layer(made, images(1, 6))
    activation_maps(made, images(2, 6), None, layer, BOTH)
    assert made.network.training
    assert made.network.head.training
    assert [one.requires_grad for one in made.network.parameters()] == [True, True, True, False]
    assert all(one.grad is None for one in made.network.parameters())
    assert not any(module._forward_hooks for module in made.network.modules())


def test_answers_that_do_not_follow_from_a_layer_are_an_error():
    network = Linear()
    network.forward = lambda images: torch.zeros(len(network.features(images)), 4)
    made = classifier(network, 6)
    with pytest.raises(ConfigurationError, match="by gradients"):
        activation_maps(made, images(2, 6), None, target_layer(made, images(1, 6)), BOTH)


def test_no_memory_stays_behind():
    made = tiny()
    layer = target_layer(made, images(1, 6))
    seen = []
    made.network.features.register_forward_hook(lambda _module, _inputs, output: seen.append(weakref.ref(output)))
    for _ in range(3):
        activation_maps(made, images(2, 6), None, layer, BOTH)
    gc.collect()
    assert len(seen) == 3
    assert all(one() is None for one in seen)
