"""A segmenter's training: resumed bit for bit, stopped by a loss that is no number, scored as it says."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("safetensors")

from fornet_hf.errors import ConfigurationError  # noqa: E402
from producers.distil.configuration import PRESETS, Training  # noqa: E402
from producers.distil.scoring import Predictor, counted, scores  # noqa: E402
from producers.distil.squares import cut  # noqa: E402
from producers.distil.store import TRAIN, VALIDATION, make_store  # noqa: E402
from producers.distil.training import SEGMENTER, Trainer  # noqa: E402
from producers.pairs.reading import read_pairs  # noqa: E402
from producers.segment.networks.files import read_card, read_segmenter  # noqa: E402
from producers.training.machine import accelerator  # noqa: E402
from producers.training.run import TrainingRun  # noqa: E402
from tests.build.distil.drawn import write_drawn  # noqa: E402

TINY = Training(widths=(4, 8), side=16, batch_size=4, steps=6, every=3, colour=0.5, lr=0.01)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    pairs = read_pairs(*write_drawn(root, 10))
    return make_store(root / "store", {}, [(pairs, {n: VALIDATION if n < 3 else TRAIN for n in range(10)})], 16)


def trainer(store, folder, training=TINY, kind=Trainer):
    run = TrainingRun(folder)
    run.begin(json.loads(json.dumps(dataclasses.asdict(training))), frozenset({"lr", "steps"}))
    return kind(training, store, run, accelerator("cpu", "float32"), {"preset": "none"})


def test_a_training_that_was_interrupted_ends_as_one_that_was_not(store, tmp_path):
    whole = trainer(store, tmp_path / "whole").train()

    class Killed(Trainer):
        def _step(self, batch, rate):
            if self.first == 0 and (tmp_path / "parts" / "checkpoint.pt").is_file():
                raise KeyboardInterrupt
            return super()._step(batch, rate)

    with pytest.raises(KeyboardInterrupt):
        trainer(store, tmp_path / "parts", kind=Killed).train()
    assert trainer(store, tmp_path / "parts").train() == whole
    one, other = ((tmp_path / name / SEGMENTER).read_bytes() for name in ("whole", "parts"))
    assert one == other
    states = [torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts")]
    for name, tensor in states[0]["network"].items():
        assert torch.equal(tensor, states[1]["network"][name])
    whole_log, log = (TrainingRun(tmp_path / name).figures() for name in ("whole", "parts"))
    assert [(line["step"], line["loss"]) for line in log] == [(line["step"], line["loss"]) for line in whole_log]
    assert [line["step"] for line in log] == [3, 6]
    assert len([*(tmp_path / "parts" / "sheets").iterdir()]) == 2


def test_a_finished_training_does_nothing_more(store, tmp_path):
    done = trainer(store, tmp_path).train()
    before = (tmp_path / "checkpoint.pt").stat().st_mtime_ns
    assert trainer(store, tmp_path).train() == done
    assert (tmp_path / "checkpoint.pt").stat().st_mtime_ns == before


def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint_and_a_lower_rate_goes_on(store, tmp_path):
    good = dataclasses.replace(TINY, steps=3)
    trainer(store, tmp_path, good).train()
    bad = dataclasses.replace(TINY, lr=1e30)
    with pytest.raises(ConfigurationError, match="the loss is not finite"):
        trainer(store, tmp_path, bad).train()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["step"] == 3
    assert all(torch.isfinite(one).all() for one in state["network"].values())
    assert trainer(store, tmp_path).train().step in (3, 6)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 6


def test_a_step_that_ruins_the_network_is_not_kept_although_its_loss_was_a_number(store, tmp_path):
    trainer(store, tmp_path, dataclasses.replace(TINY, steps=3)).train()
    with pytest.raises(ConfigurationError, match="the loss is not finite; found nan at step 4"):
        trainer(store, tmp_path, dataclasses.replace(TINY, steps=4, lr=1e30)).train()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    assert trainer(store, tmp_path).train().step in (3, 6)


def test_the_card_says_what_it_was_trained_on_and_its_scores_are_those_of_its_file(store, tmp_path):
    best = trainer(store, tmp_path).train()
    network, card = read_segmenter(tmp_path / SEGMENTER)
    assert card == read_card(tmp_path / SEGMENTER)
    assert (card.trained["preset"], card.trained["step"], card.trained["scores"]) == ("none", best.step, best.scores)
    predictor = Predictor(network, card, "cpu")
    assert scores(counted(predictor, store, store.splits[VALIDATION].tolist(), 2)) == best.scores
    found, true = [], []
    for number in store.splits[VALIDATION]:  # one by one, and by sets of pixels
        square = cut(store.layers(int(number)), 16)
        found.append(predictor.chances(square[None])[0] > 0.5)
        true.append(square[..., 3] > 0)
    both = np.stack(found) & np.stack(true)
    either = np.stack(found) | np.stack(true)
    assert best.scores["iou"] == pytest.approx(both.sum() / either.sum(), abs=1e-6)


def test_the_best_network_is_kept_where_later_ones_are_worse(store, tmp_path):
    best = trainer(store, tmp_path, dataclasses.replace(TINY, every=1, lr=0.3)).train()
    found = [line["iou"] for line in TrainingRun(tmp_path).figures()]
    assert best.scores["iou"] == max(found) > found[-1]
    assert read_card(tmp_path / SEGMENTER).trained["scores"] == best.scores


def test_of_many_pairs_that_are_held_back_the_same_few_are_scored(store, tmp_path, monkeypatch):
    monkeypatch.setattr("producers.distil.training.SCORED", 2)
    seen = []

    def noted(predictor, store, numbers, batch):
        seen.append(numbers)
        return counted(predictor, store, numbers, batch)

    monkeypatch.setattr("producers.distil.training.counted", noted)
    trainer(store, tmp_path).train()
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert len({*seen[0]}) == 2
    assert {*seen[0]} <= {*store.splits[VALIDATION].tolist()}


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_train_with_narrow_networks(store, tmp_path, preset):
    change = {"widths": (4, 8), "side": 16, "batch_size": 2, "steps": 2, "decay_at": (1,) * bool(preset == "layers")}
    assert trainer(store, tmp_path, dataclasses.replace(PRESETS[preset], **change)).train().step == 2


def test_batches_of_another_number_of_processes_are_the_same_pairs(store, tmp_path):
    """Each takes its part of the same visits."""
    whole = trainer(store, tmp_path / "a")
    batches = [layers for layers, _ in whole._ahead(range(3))]
    part = trainer(store, tmp_path / "b")
    part.machine.state.num_processes = 2
    try:
        halves = [layers for layers, _ in part._ahead(range(3))]
    finally:
        part.machine.state.num_processes = 1
    for batch, half in zip(batches, halves, strict=True):
        assert torch.equal(batch[:2], half)
