"""A training of layers: resumed bit for bit, stopped in good time, noted as it goes on."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("safetensors")

from fornet_hf.errors import ConfigurationError  # noqa: E402
from producers.layers.chosen import chosen, generator_file  # noqa: E402
from producers.layers.networks.files import read_generator  # noqa: E402
from producers.training.run import TrainingRun  # noqa: E402
from producers.training.stopping import Stopping  # noqa: E402
from tests.build.layers.tiny import TINY, squares, trainer  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402

__all__ = ["one_thread"]

TICKS = dataclasses.replace(TINY, kimg=2, every=2)
"""16 steps, with a look at the figures after 8 and 16."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return squares(tmp_path_factory.mktemp("squares"))


class After(Stopping):
    """Asks for an end after so many steps of a trainer."""

    def __init__(self, steps, *, interrupted=True):
        super().__init__()
        self.interrupted, self._left = False, steps
        self._by_signal = interrupted

    @property
    def due(self):
        self._left -= 1
        self.interrupted = self._by_signal and self._left <= 0
        return self._left <= 0


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def state(folder):
    found = torch.load(folder / "checkpoint.pt", weights_only=True)
    assert found.pop("seconds") > 0
    return found


def figures(folder):
    times = {"seconds", "images_per_second"}
    return [{name: one for name, one in line.items() if name not in times} for line in TrainingRun(folder).figures()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"independence": "learned-laplace", "mixing": 0.9, "kimg": 1},
        {"augment": None, "independence": "gaussian", "schedule": "cosine"},
    ],
)
def test_a_training_that_was_interrupted_twice_ends_as_one_that_was_not(store, tmp_path, changes):
    """The first end is between two looks at the figures, and before steps with penalties and augmentation."""
    settings = dataclasses.replace(TICKS, **changes)

    def begun(name):
        found = trainer(store, tmp_path / name, settings)
        if found.first == 0 and settings.augment is not None:
            found.phases.strength = 0.5  # a checkpoint has it from then on
        return found

    whole = begun("whole").train(Stopping())
    for steps, done in ((3, 3), (4, 7)):
        with pytest.raises(KeyboardInterrupt):
            begun("parts").train(After(steps))
        assert torch.load(tmp_path / "parts" / "checkpoint.pt", weights_only=True)["step"] == done
    last = begun("parts")
    assert last.phases.strength == 0.5 or settings.augment is None
    assert last.train(Stopping()).kimg == whole.kimg == settings.kimg
    one, other = state(tmp_path / "whole"), state(tmp_path / "parts")
    expected = {"generator", "discriminator", "average", "optimizers", "strength", "sums", "counts", "step"}
    assert one.keys() == expected | ({"bound"} if "independence" in changes and "learned" in str(changes) else set())
    assert same(one, other)
    assert figures(tmp_path / "whole") == figures(tmp_path / "parts")
    files = [generator_file(tmp_path / name, settings.kimg).read_bytes() for name in ("whole", "parts")]
    assert files[0] == files[1]


def test_a_training_ends_when_its_time_is_over_and_goes_on(store, tmp_path):
    found = trainer(store, tmp_path).train(After(2, interrupted=False))
    assert not found.complete
    assert "the same command goes on" in found.summary()
    assert trainer(store, tmp_path).first == 2
    done = trainer(store, tmp_path).train(Stopping())
    assert done.complete
    assert done.summary().startswith("1 of 1 kimg: mask 0.")


def test_a_finished_training_does_nothing_more(store, tmp_path):
    done = trainer(store, tmp_path).train(Stopping())
    before = (tmp_path / "checkpoint.pt").stat().st_mtime_ns
    assert trainer(store, tmp_path).train(Stopping()) == done
    assert (tmp_path / "checkpoint.pt").stat().st_mtime_ns == before


def test_the_log_has_figures_of_each_thousand_images(store, tmp_path):
    settings = dataclasses.replace(TINY, kimg=3, every=2)
    trainer(store, tmp_path, settings).train(Stopping())
    lines = TrainingRun(tmp_path).figures()
    assert [(line["step"], line["kimg"], line.get("kept")) for line in lines] == [
        (8, 1, None),
        (16, 2, True),
        (24, 3, True),
    ]
    named = {"loss_discriminator", "loss_generator", "binary", "size", "independence", "penalty"}
    named |= {"mask", "sign_real", "sigma", "augmentation", "images_per_second", "seconds"}
    for line in lines:
        assert named <= line.keys()
        assert 0 < line["mask"] < 1
        assert 0 <= line["binary"] <= 0.5
        assert line["images_per_second"] > 0
    assert sorted(path.name for path in (tmp_path / "progress").iterdir()) == ["000002.png", "000003.png"]
    assert chosen(tmp_path) == generator_file(tmp_path, 3)


def test_the_strength_of_the_augmentation_rises_while_the_discriminator_is_sure(store, tmp_path):
    lowest = dataclasses.replace(TINY, kimg=3, every=3, augment=1e-9, augment_kimg=10)
    trainer(store, tmp_path, lowest).train(Stopping())
    lines = TrainingRun(tmp_path).figures()
    strength = 0.0
    for line in lines:
        strength = max(0.0, strength + 0.1 * np.sign(line["sign_real"] - 1e-9))
        assert line["augmentation"] == pytest.approx(strength)


def test_what_is_kept_is_the_average_and_its_card_says_what_it_was_trained_on(store, tmp_path):
    one = trainer(store, tmp_path)
    one.train(Stopping())
    network, card = read_generator(generator_file(tmp_path, 1))
    assert card.network == TINY.network
    assert card.trained == {"preset": "none", "kimg": 1}
    for name, tensor in one.phases.average.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)
    assert not torch.equal(one.phases.generator.foreground.start, one.phases.average.foreground.start)


class Scored:
    """Stands in for a scorer: the mean level of what it is shown."""

    def __init__(self):
        self.shown = []

    def scores(self, made):
        self.shown.append(np.concatenate([*made]))
        return {"fid": float(self.shown[-1].mean()), "kid": 0.5}


def test_scores_are_of_as_many_samples_as_asked_for_and_choose_the_generator(store, tmp_path):
    scorer = Scored()
    settings = dataclasses.replace(TINY, kimg=2, fid=70)
    trainer(store, tmp_path, settings, scorer=scorer).train(Stopping())
    assert [one.shape for one in scorer.shown] == [(70, 16, 16, 3)] * 2
    lines = TrainingRun(tmp_path).figures()
    assert [line["fid"] for line in lines] == [one.mean() for one in scorer.shown]
    best = min(lines, key=lambda line: line["fid"])
    assert chosen(tmp_path) == generator_file(tmp_path, best["kimg"])
    assert read_generator(chosen(tmp_path))[1].trained["fid"] == best["fid"]


def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint_and_a_lower_rate_goes_on(store, tmp_path):
    trainer(store, tmp_path).train(After(4, interrupted=False))
    bad = dataclasses.replace(TINY, lr=1e30)
    with pytest.raises(ConfigurationError, match="the loss is not finite"):
        trainer(store, tmp_path, bad).train(Stopping())
    ruined = trainer(store, tmp_path)
    with torch.no_grad():
        ruined.phases.discriminator.score.bias.fill_(torch.nan)
    with pytest.raises(ConfigurationError, match="the loss is not finite; found nan at step 5"):
        ruined.train(After(1))  # no loss was looked at, but weights are
    kept = state(tmp_path)
    assert kept["step"] == 4
    assert all(one.isfinite().all() for one in kept["generator"].values())
    assert trainer(store, tmp_path).train(Stopping()).complete


def test_the_rate_is_the_one_that_is_asked_for_now(store, tmp_path):
    trainer(store, tmp_path).train(After(1, interrupted=False))
    again = trainer(store, tmp_path, dataclasses.replace(TINY, lr=0.001))
    rates = {name: one.param_groups[0]["lr"] for name, one in again._optimizers.items()}
    assert rates == {"generator": pytest.approx(0.0008), "discriminator": pytest.approx(0.00075)}
    assert again._optimizers["discriminator"].param_groups[0]["betas"] == (0, pytest.approx(0.99**0.75))


def test_processes_share_the_same_squares_and_draw_their_own_latents(store, tmp_path):
    whole = [*trainer(store, tmp_path / "a", dataclasses.replace(TINY, batch_size=10))._ahead(range(3))]
    part = trainer(store, tmp_path / "b", dataclasses.replace(TINY, batch_size=10))
    part.machine.state.num_processes = 2
    try:
        halves = [*part._ahead(range(3))]
    finally:
        part.machine.state.num_processes = 1
    for batch, half in zip(whole, halves, strict=True):
        assert torch.equal(batch[:5], half)
    assert part.phases.drawing.rank == 0


def test_an_end_is_agreed_on_by_all_processes_when_they_look_at_the_figures(store, tmp_path):
    """The other process is asked for an end before the first step, this one never."""
    one = trainer(store, tmp_path, dataclasses.replace(TICKS, batch_size=250))
    one.machine = SimpleNamespace(
        num_processes=2,
        process_index=0,
        is_main_process=True,
        device=one.machine.device,
        reduce=lambda tensor, how: tensor + 1 if how == "sum" else tensor,
        wait_for_everyone=lambda: None,
    )
    assert one.train(Stopping()).kimg == 1
    assert [line["step"] for line in TrainingRun(tmp_path).figures()] == [4]
    assert state(tmp_path)["step"] == 4
