import dataclasses

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image

from fornet_hf.errors import ConfigurationError
from producers.devices.placement import Placement
from producers.diffusion.concepts import Concepts
from producers.diffusion.model import load
from producers.pairs.reading import read_pairs
from producers.training.machine import accelerator
from producers.training.run import TrainingRun
from producers.tuning import tuner as module
from producers.tuning.posteriors import Posteriors, encode
from producers.tuning.settings import FREE, TuningSettings
from producers.tuning.tuner import Tuner

SETTINGS = TuningSettings(
    concepts=Concepts.of("cat"), side=64, steps=4, batch_size=2, lr=1e-3, decay=0.5, precision="float32"
)


@pytest.fixture(scope="module")
def posteriors(drawn, weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("posteriors")
    list(encode(read_pairs(*drawn), range(6), folder, load(Placement(), str(weights)), 64))
    return Posteriors.of(folder)


@pytest.fixture
def train(weights, posteriors, tmp_path, monkeypatch):
    """Trains in a folder, and goes on in one that is there."""
    monkeypatch.setattr(module, "_STEPS", 2)

    def train(name, *, save_every=100, micro_batch=None, **changes):
        settings = dataclasses.replace(SETTINGS, **changes)
        run = TrainingRun(tmp_path / name)
        run.begin(settings.to_json(), FREE)
        model = load(Placement(), str(weights))
        one = Tuner(
            accelerator("cpu", settings.precision),
            model,
            posteriors,
            settings,
            run,
            save_every=save_every,
            micro_batch=micro_batch,
        )
        one.train()
        return run, model

    return train


def state_of(run):
    return torch.load(run.checkpoint, weights_only=True)


def equal(one, other):
    """Whether two states are the same to the last bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def test_the_loss_falls(train, monkeypatch):
    monkeypatch.setattr(module, "NOTED", 10)
    run, _ = train("run", steps=30, batch_size=4, lr=3e-3, whole=1.0)
    losses = [line["loss"] for line in run.figures()]
    assert losses[-1] < 0.75 * losses[0]


def test_a_training_that_goes_on_ends_with_the_same_bits(train):
    whole, _ = train("whole", save_every=2)
    parts, _ = train("parts", steps=2)
    assert not equal(state_of(whole), state_of(parts))
    train("parts", steps=4)
    assert equal(state_of(whole), state_of(parts))
    assert [line["step"] for line in whole.figures()] == [line["step"] for line in parts.figures()] == [2, 4]


def test_the_model_is_the_average_and_training_goes_on_with_its_own_weights(train):
    run, trained = train("run")
    state, result = state_of(run), load(Placement(), str(run.folder / "model"))
    names = [name for name, _ in result.unet.named_parameters()]
    average = dict(zip(names, state["average"]["shadow_params"], strict=True))
    assert equal(dict(result.unet.named_parameters()), average)
    assert equal(trained.unet.state_dict(), state["unet"])
    assert (average[names[0]] - state["unet"][names[0]]).abs().max() > 1e-5
    assert Concepts.read(str(run.folder / "model")) == SETTINGS.concepts


def test_the_average_is_that_of_the_formula(train):
    """The first steps of 0.9999 and of 0.5 alike: (1 + n) / (10 + n) of the average stays, as was published."""
    states = [state_of(train("run", steps=steps, decay=0.9999)[0]) for steps in (1, 2, 3)]
    name = next(iter(states[0]["unet"]))
    weights = [state["unet"][name] for state in states]
    averages = [state["average"]["shadow_params"][0] for state in states]
    torch.testing.assert_close(averages[0], weights[0])
    for number in (1, 2):
        stays = (1 + number) / (10 + number)
        expected = stays * averages[number - 1] + (1 - stays) * weights[number]
        torch.testing.assert_close(averages[number], expected, atol=1e-6, rtol=0)


def test_a_loss_that_is_no_number_leaves_the_last_checkpoint(train):
    run, _ = train("run", steps=2)
    before = run.checkpoint.read_bytes()
    with pytest.raises(ConfigurationError, match=r"not finite; .* is from before\. .*lower --lr"):
        train("run", steps=8, lr=1e30)
    assert run.checkpoint.read_bytes() == before
    train("run", steps=3)
    assert state_of(run)["step"] == 3


def test_weights_that_the_last_step_spoilt_are_not_stored(train, monkeypatch):
    run, _ = train("run", steps=2)
    spoil = Tuner._step

    def step(self, number):
        loss = spoil(self, number)
        next(self._model.unet.parameters()).data.fill_(float("nan"))
        return loss

    monkeypatch.setattr(Tuner, "_step", step)
    with pytest.raises(ConfigurationError, match="not finite; found nan at step 3"):
        train("run", steps=3)
    assert state_of(run)["step"] == 2


def test_small_parts_of_a_batch_add_up_to_it(train):
    whole, parts = (state_of(train(str(size), steps=1, batch_size=4, micro_batch=size)[0]) for size in (4, 1))
    moments = [state["optimizer"]["state"][0]["exp_avg"] for state in (whole, parts)]
    torch.testing.assert_close(*moments, atol=1e-7, rtol=1e-4)


def test_processes_that_share_a_batch_add_up_to_it(train, monkeypatch):
    """Their gradients are averaged, of which the first moments of the optimizer are a tenth."""
    whole = state_of(train("whole", steps=1, batch_size=4)[0])
    real, shares = module.share, []
    for rank in range(2):
        monkeypatch.setattr(module, "share", lambda batch, *_, rank=rank: real(batch, rank, 2))
        shares.append(state_of(train(str(rank), steps=1, batch_size=4)[0]))
    one, first, second = (state["optimizer"]["state"][0]["exp_avg"] for state in (whole, *shares))
    assert (first - second).abs().max() > 1e-3 * one.abs().max()
    torch.testing.assert_close((first + second) / 2, one, atol=1e-7, rtol=1e-4)


def test_progress_shows_both_prompts_and_its_noise_stays_the_same(train):
    run, _ = train("run", save_every=2)
    sheets = [np.asarray(Image.open(path)) for path in sorted((run.folder / "progress").iterdir())]
    assert [sheet.shape for sheet in sheets] == [(128, 256, 3)] * 2
    assert (sheets[0] != sheets[1]).any()
    assert np.abs(sheets[0].astype(int) - sheets[1]).mean() < 30


def test_bfloat16_multiplies_low_and_keeps_weights_high(train):
    low = state_of(train("bfloat16", precision="bfloat16")[0])
    AcceleratorState._reset_state()
    full = state_of(train("float32")[0])
    assert {value.dtype for value in low["unet"].values()} == {torch.float32}
    assert not equal(low["unet"], full["unet"])
