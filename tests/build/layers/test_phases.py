"""What generator and discriminator learn in a step."""

import contextlib
import dataclasses

import pytest

torch = pytest.importorskip("torch")

from producers.devices.placement import Placement  # noqa: E402
from producers.layers.composition import composed, shifted  # noqa: E402
from producers.layers.drawing import Drawing  # noqa: E402
from producers.layers.independence import distance, gaussian, laplace  # noqa: E402
from producers.layers.phases import Phases  # noqa: E402
from tests.build.layers.tiny import TINY  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402

__all__ = ["one_thread"]

REAL = torch.rand((8, 3, 16, 16), generator=torch.Generator().manual_seed(5)) * 2 - 1


def phases(**changes):
    settings = dataclasses.replace(TINY, **changes)
    return Phases(settings, Drawing(settings, 0, Placement()), contextlib.nullcontext)


def gradients(module):
    return {name: one.grad.clone() for name, one in module.named_parameters() if one.grad is not None}


def test_each_phase_leaves_gradients_in_its_own_network_alone():
    both = phases()
    both.discriminate(1, REAL)
    assert gradients(both.generator) == {}
    assert all(one.abs().sum() > 0 for name, one in gradients(both.discriminator).items() if "bias" not in name)
    both.discriminator.zero_grad(set_to_none=True)
    both.generate(1, 8)
    assert gradients(both.discriminator) == {}
    assert all(one.requires_grad for one in both.discriminator.parameters())
    found = gradients(both.generator)
    for part in ("foreground", "background", "foreground_mapping", "background_mapping"):
        assert any(one.abs().sum() > 0 for name, one in found.items() if name.startswith(f"{part}."))


def test_the_loss_is_that_of_composed_layers_whose_foregrounds_are_moved():
    one = phases(augment=None, independence="none")
    drawn = one.drawing.of("generator", 4, 8, one.generator)
    assert drawn.offsets.any()
    with torch.no_grad():
        layers = shifted(one.generator(drawn.latents, noises=drawn.noises), drawn.offsets)
        logits = one.discriminator(composed(layers))
    figures = one.generate(4, 8)
    torch.testing.assert_close(figures["loss_generator"], torch.nn.functional.softplus(-logits).mean())
    torch.testing.assert_close(figures["binary"], torch.minimum(layers.mask, 1 - layers.mask).mean())
    still = phases(augment=None, independence="none", shift=0.0).generate(4, 8)
    assert still["loss_generator"] != figures["loss_generator"]


def test_the_discriminator_sees_moved_foregrounds_too():
    found = [phases(augment=None, shift=shift).discriminate(1, REAL)["loss_discriminator"] for shift in (0.0, 0.25)]
    assert found[0] != found[1]


def test_all_weights_count_in_the_generators_gradient():
    """It is linear in them."""
    base = {
        "augment": None,
        "least": 0.9,
        "schedule": "constant",
        "binary": 0.0,
        "size": 0.0,
        "sigma": 0,
    }

    def gradient(**changes):
        one = phases(**{**base, **changes})
        one.generate(4, 8)
        return gradients(one.generator)["foreground.convolutions.0.bias"]

    none = gradient()
    for name in ("binary", "size", "sigma"):
        once, twice = gradient(**{name: 1.0}) - none, gradient(**{name: 2.0}) - none
        assert once.abs().max() > 0
        torch.testing.assert_close(twice, 2 * once, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("kind", "loss"), [("laplace", laplace), ("gaussian", gaussian), ("distance", distance)])
def test_independence_is_that_of_layers_which_are_not_moved(kind, loss):
    one = phases(independence=kind)
    drawn = one.drawing.of("generator", 4, 8, one.generator)
    with torch.no_grad():
        layers = one.generator(drawn.latents, noises=drawn.noises)
    expected = loss(layers) if kind == "distance" else loss(layers, drawn.order)
    torch.testing.assert_close(one.generate(4, 8)["independence"], expected)


def test_without_weight_independence_is_not_computed():
    assert "independence" not in phases(independence="none").generate(0, 8)
    assert "independence" not in phases(sigma=0.0).generate(0, 8)


def test_a_learned_bound_learns_with_the_discriminator():
    one = phases(independence="learned-gaussian")
    figures = one.discriminate(1, REAL)
    assert figures["likelihood"].isfinite()
    assert all(part.abs().sum() > 0 for part in gradients(one.bound).values())
    one.bound.zero_grad(set_to_none=True)
    one.generate(1, 8)
    assert gradients(one.bound) == {}
    assert phases().bound is None


def test_the_penalty_comes_in_every_so_many_steps_and_weighs_as_much_more():
    one, never = phases(augment=None), phases(augment=None, gamma=0.0)
    assert ["penalty" in one.discriminate(step, REAL) for step in range(5)] == [True, False, False, True, False]
    assert "penalty" not in never.discriminate(0, REAL)

    def gradient(**changes):
        found = phases(augment=None, **changes)
        found.discriminate(0, REAL)
        return gradients(found.discriminator)["first.weight"]

    none = gradient(gamma=0.0)
    often, rare = gradient(gamma=1.0, r1_every=2) - none, gradient(gamma=0.5, r1_every=8) - none
    assert often.abs().max() > 0
    torch.testing.assert_close(rare, 2 * often, atol=1e-6, rtol=1e-3)


def test_an_augmentation_of_some_strength_changes_what_is_seen_and_can_be_penalised():
    one, still = phases(), phases(augment=None)
    assert one.discriminate(0, REAL)["loss_discriminator"] == still.discriminate(0, REAL)["loss_discriminator"]
    one, one.strength = phases(), 0.8
    found = one.discriminate(0, REAL)
    assert found["loss_discriminator"] != still.discriminate(0, REAL)["loss_discriminator"]
    assert found["penalty"] > 0
    assert all(part.isfinite().all() for part in gradients(one.discriminator).values())
    assert one.generate(0, 8)["loss_generator"] != still.generate(0, 8)["loss_generator"]


def test_the_average_follows_as_far_as_its_decay_says():
    one = phases(ema_kimg=1, ramp=None)
    with torch.no_grad():
        for part in one.generator.parameters():
            part.add_(1.0)
    before = [part.clone() for part in one.average.parameters()]
    one.follow(7)
    kept = 0.5 ** (125 / 1000)
    for was, now in zip(before, one.average.parameters(), strict=True):
        torch.testing.assert_close(now - was, torch.full_like(was, 1 - kept), atol=1e-4, rtol=0)
    assert not any(part.requires_grad for part in one.average.parameters())


def test_compiled_networks_learn_the_same(monkeypatch):
    """What compiles is stood in for: the penalty must not go through it."""
    calls = []

    def standing_in(module):
        def run(*arguments, **options):
            calls.append(module)
            return module(*arguments, **options)

        return run

    monkeypatch.setattr(torch, "compile", standing_in)
    plain = phases()
    settings = plain.settings
    fast = Phases(settings, Drawing(settings, 0, Placement()), contextlib.nullcontext, compiled=True)
    for one in (plain, fast):
        one.discriminate(0, REAL)
        one.generate(0, 8)
    assert calls == [fast.generator, fast.discriminator, fast.discriminator, fast.generator, fast.discriminator]
    for name, part in gradients(plain.generator).items():
        assert torch.equal(part, gradients(fast.generator)[name])
