from __future__ import annotations

import contextlib
import gc
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError, SourceError, WorkerDiedError
from fornet_hf.evaluation.answers.predicting import Subject, chunks, predict, predict_all
from fornet_hf.evaluation.answers.predictions import NOT_SHOWN
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from tests.evaluation.fakes import SMALL, Drawn, all_outputs, brightness, convolutions, remembering
from tests.torchrun import run_two_of

torch = pytest.importorskip("torch")

INLINE = EvaluationConfig(workers=1, batch_size=16)


def subject(classifier):
    return Subject(classifier, all_outputs())


def same(one, other):
    """Compare answers of one network bit by bit."""
    assert np.array_equal(one.predicted, other.predicted)
    assert np.array_equal(one.probability, other.probability, equal_nan=True)
    assert np.array_equal(one.backgrounds, other.backgrounds)
    assert np.array_equal(one.background_keys, other.background_keys)
    assert one.reasons == other.reasons


def test_each_answer_belongs_to_its_image():
    stimuli = Drawn()
    found = predict(brightness(), all_outputs(), stimuli, INLINE)
    for item in range(stimuli.count):
        for column in range(3):
            if item % 5 == 3 and column == 2:
                assert found.predicted[item, column] == NOT_SHOWN
                assert np.isnan(found.probability[item, column])
                assert found.reasons[item, column] == "no room"
            else:
                assert found.predicted[item, column] == stimuli.brightest(item, column)
                assert 0 <= found.probability[item, column] <= 1
                assert found.background_keys[item, column] == f"background {item}"
                assert found.backgrounds[item, column] == item % 3
    assert list(found.keys) == stimuli.keys


def test_answers_do_not_depend_on_workers():
    one, two = (predict(convolutions(), all_outputs(), Drawn(), replace(INLINE, workers=n)) for n in (1, 2))
    same(one, two)


@pytest.mark.parametrize("size", [1, 3, 7, 64, 1000])
def test_answers_do_not_depend_on_the_batch_size(size):
    usual, other = (
        predict(convolutions(), all_outputs(), Drawn(), replace(INLINE, batch_size=n)) for n in (16, size)
    )
    assert np.array_equal(usual.predicted, other.predicted)
    np.testing.assert_allclose(usual.probability, other.probability, rtol=1e-5)


def test_networks_that_see_alike_share_their_images(monkeypatch):
    shown, make = [], Drawn.shown
    monkeypatch.setattr(Drawn, "shown", lambda self, *where: shown.append(where) or make(self, *where))
    other = replace(SMALL, mean=(0.5, 0.5, 0.5))
    classifiers = [convolutions(), brightness(), convolutions(other, seed=1), convolutions(Preprocessing(size=16))]
    found = predict_all([subject(one) for one in classifiers], Drawn(), INLINE)
    assert len(shown) == 2 * 23
    for classifier, predictions in zip(classifiers, found, strict=True):
        same(predictions, predict(classifier, all_outputs(), Drawn(), INLINE))


def test_outputs_are_mapped_to_classes_and_their_probabilities_added():
    labels = LabelMap(np.array([1, 1, -1], np.int32))
    plain = predict(brightness(), all_outputs(), Drawn(), INLINE)
    mapped = predict(brightness(), labels, Drawn(), INLINE)
    expected = np.array([1, 1, NO_LABEL, NOT_SHOWN], np.int32)[plain.predicted.clip(-1)]
    assert np.array_equal(mapped.predicted, expected)
    assert np.all(mapped.probability[mapped.labels == 2, :2] == 0)


class Scarce(torch.nn.Module):
    """A network for which a device has memory for a few images only."""

    def __init__(self, most, error, network):
        super().__init__()
        self.most, self.error, self.network, self.sizes = most, error, network, []

    def forward(self, images):
        self.sizes.append(len(images))
        if len(images) > self.most:
            raise self.error
        return self.network(images)


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("MPS backend out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_batches_are_halved_until_they_fit_and_that_is_told_once(error):
    plain = convolutions()
    scarce = replace(plain, network=Scarce(5, error, plain.network))
    with pytest.warns(UserWarning, match="batches of 4") as told:
        found = predict(scarce, all_outputs(), Drawn(), INLINE)
    assert len(told) == 1
    assert scarce.network.sizes[:3] == [16, 8, 4]
    assert set(scarce.network.sizes[3:]) <= {4, 1, 2, 3}
    assert np.array_equal(found.predicted, predict(plain, all_outputs(), Drawn(), INLINE).predicted)


def test_one_image_that_does_not_fit_is_an_error():
    network = Scarce(0, MemoryError("nothing left"), torch.nn.Identity())
    with pytest.raises(MemoryError, match="nothing left"):
        predict(replace(convolutions(), network=network), all_outputs(), Drawn(), INLINE)


def test_another_error_of_the_network_is_told_at_once():
    network = Scarce(0, RuntimeError("shapes do not fit"), torch.nn.Identity())
    told = r"convolutions cannot answer images; found RuntimeError: shapes do not fit.* 16 x 3 x 32 x 32"
    with pytest.raises(ConfigurationError, match=told):
        predict(replace(convolutions(), network=network), all_outputs(), Drawn(), INLINE)
    assert network.sizes == [16]


class Failing(torch.nn.Module):
    def __init__(self, value, dark):
        super().__init__()
        self.value, self.dark = value, dark

    def forward(self, images):
        logits = images.mean((2, 3))
        logits[images[:, 0, 0, 0] == self.dark, 1] = self.value
        return logits


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_answer_that_is_no_number_names_model_and_item(value):
    pixel = Drawn().image(7, 0, 32)[0, 0, 0] / 255
    preprocessing = replace(SMALL, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    network = Failing(value, np.float32(pixel).item())
    classifier = Classifier(name="broken", revision="", network=network, preprocessing=preprocessing)
    with pytest.raises(ConfigurationError, match=r"broken answers with NaN or infinity; found item item 7\."):
        predict(classifier, all_outputs(), Drawn(), INLINE)


def test_minus_infinity_is_an_answer():
    network = Failing(float("-inf"), 2.0)
    predict(replace(convolutions(), network=network), all_outputs(), Drawn(), INLINE)


def test_another_number_of_outputs_is_refused():
    with pytest.raises(ConfigurationError, match="16 x 1000, as in the label map"):
        predict(convolutions(), all_outputs(1000), Drawn(), INLINE)


class Damaged(Drawn):
    def shown(self, item, preprocessing):
        if item == 4:
            raise SourceError("item 4: damaged")
        return super().shown(item, preprocessing)


class Deadly(Drawn):
    def shown(self, item, preprocessing):
        if item == 12:
            os._exit(9)
        return super().shown(item, preprocessing)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_an_item_is_raised_as_it_is(workers):
    with pytest.raises(SourceError, match=r"^item 4: damaged$"):
        predict(brightness(), all_outputs(), Damaged(), replace(INLINE, workers=workers))


@pytest.fixture
def told_once():
    """A context after which torch tells of no worker: it would raise wherever pytest is when the other one ends."""
    handlers: list[Any] = []

    @contextlib.contextmanager
    def told():
        try:
            yield
        finally:
            handlers.append(signal.signal(signal.SIGCHLD, signal.SIG_DFL))

    yield told
    gc.collect()  # ends the other worker
    signal.signal(signal.SIGCHLD, handlers[0])


# torch tells of the other worker while it cleans up
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_worker_that_is_killed_is_told(told_once):
    with pytest.raises(WorkerDiedError, match="Run the same command again"), told_once():
        predict(brightness(), all_outputs(), Deadly(), replace(INLINE, workers=2))


def test_low_precision_is_low_and_float32_is_not():
    full, low = (
        predict(convolutions(), all_outputs(), Drawn(), replace(INLINE, precision=one))
        for one in ("float32", "bfloat16")
    )
    assert not np.array_equal(full.probability, low.probability, equal_nan=True)
    np.testing.assert_allclose(full.probability, low.probability, atol=0.02)


class Settings(torch.nn.Module):
    def forward(self, images):
        self.seen = (
            torch.backends.cudnn.allow_tf32,
            torch.get_float32_matmul_precision(),
            torch.is_grad_enabled(),
            self.training,
        )
        return images.mean((2, 3))


def test_no_lower_precision_behind_ones_back_and_all_is_as_before():
    torch.set_float32_matmul_precision("high")
    try:
        network = Settings().train()
        predict(replace(convolutions(), network=network), all_outputs(), Drawn(), INLINE)
        assert network.seen == (False, "highest", False, False)
        assert network.training
        assert torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_what_a_network_keeps_may_be_used_with_gradients_later():
    network = remembering()
    predict(Classifier(name="own", revision="", network=network, preprocessing=SMALL), all_outputs(), Drawn(), INLINE)
    network(torch.ones(1, 3, 2, 2, requires_grad=True)).sum().backward()


def test_batches_are_not_bounded_by_the_number_of_open_files():
    resource = pytest.importorskip("resource")
    open_now, before = Path("/proc/self/fd"), resource.getrlimit(resource.RLIMIT_NOFILE)
    if not open_now.is_dir():
        pytest.skip("the system does not tell which files are open")
    config = EvaluationConfig(workers=2, batch_size=200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(open_now.iterdir())) + 100, before[1]))
    try:
        found = predict(brightness(), all_outputs(), Drawn(200, ("original",)), config)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found.complete("original").sum() == 160


class StoppedError(Exception):
    pass


class Stopping(Drawn):
    """Stimuli that are interrupted."""

    def shown(self, item, preprocessing):
        if item == 12:
            raise StoppedError
        return super().shown(item, preprocessing)


def test_a_run_that_ended_early_goes_on_where_it_was(tmp_path, monkeypatch):
    config = replace(INLINE, batch_size=4)
    with pytest.raises(StoppedError):
        predict(convolutions(), all_outputs(), Stopping(), config, tmp_path)
    kept = sorted(tmp_path.glob(".parts/*/*.parquet"))
    assert 0 < len(kept) < len(chunks(23, 3))
    shown, make = [], Drawn.shown
    monkeypatch.setattr(Drawn, "shown", lambda self, item, how: shown.append(item) or make(self, item, how))
    found = predict(convolutions(), all_outputs(), Drawn(), config, tmp_path)
    assert min(shown) == 2 * len(kept)
    again = predict(convolutions(), all_outputs(), Drawn(), config, tmp_path)
    assert max(shown) == 22
    assert len(shown) == 23 - min(shown)
    same(found, again)
    plain = predict(convolutions(), all_outputs(), Drawn(), config)
    assert np.array_equal(found.predicted, plain.predicted)
    np.testing.assert_allclose(found.probability, plain.probability, rtol=1e-5)


def test_a_damaged_part_is_made_again(tmp_path):
    found = predict(convolutions(), all_outputs(), Drawn(), INLINE, tmp_path)
    parts = sorted(tmp_path.glob(".parts/*/*.parquet"))
    parts[1].write_bytes(parts[1].read_bytes()[:100])
    parts[3].write_bytes(parts[11].read_bytes())  # of fewer items
    for part, place in ((parts[4], 30), (parts[5], -60)):  # in the data, and in what describes them
        flipped = bytearray(part.read_bytes())
        flipped[place] ^= 255
        part.write_bytes(flipped)
    same(found, predict(convolutions(), all_outputs(), Drawn(), INLINE, tmp_path))


@pytest.mark.parametrize(
    "changed",
    [
        {"classifier": convolutions(seed=1)},
        {"classifier": brightness()},
        {"classifier": convolutions(Preprocessing(size=32, mean=(0.1, 0.1, 0.1)))},
        {"label_map": LabelMap(np.array([2, 1, 0], np.int32))},
        {"stimuli": Drawn(seed=1)},
        {"stimuli": Drawn(conditions=("original", "all"))},
        {"config": replace(INLINE, precision="bfloat16")},
    ],
    ids=["weights", "network", "preprocessing", "label map", "images", "conditions", "precision"],
)
def test_answers_to_anything_else_are_not_taken_over(tmp_path, changed):
    usual = {"classifier": convolutions(), "label_map": all_outputs(), "stimuli": Drawn(), "config": INLINE}
    predict(**usual, folder=tmp_path)
    predict(**{**usual, **changed}, folder=tmp_path)
    assert len(list(tmp_path.glob(".parts/*"))) == 2


def test_other_batches_and_workers_go_on_with_what_is_there(tmp_path):
    for config in (INLINE, replace(INLINE, batch_size=5, workers=2)):
        predict(convolutions(), all_outputs(), Drawn(), config, tmp_path)
    assert len(list(tmp_path.glob(".parts/*"))) == 1


_RANK = """
import sys
from pathlib import Path
import numpy as np
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.answers.predicting import Subject, predict_all
from fornet_hf.ranks import joined_ranks
from tests.evaluation.fakes import Drawn, all_outputs, convolutions

folder = Path(sys.argv[1])
class Counted(Drawn):
    def shown(self, item, preprocessing):
        with (folder / f"shown-{ranks.rank}").open("a") as file:
            file.write(f"{item} ")
        return super().shown(item, preprocessing)
with joined_ranks() as ranks:
    config = EvaluationConfig(workers=1, batch_size=16)
    (found,) = predict_all([Subject(convolutions(), all_outputs())], Counted(), config, folder, ranks)
np.savez(folder / f"rank-{ranks.rank}.npz", predicted=found.predicted, probability=found.probability)
"""


def test_two_processes_show_each_of_a_prime_number_of_items_once(tmp_path):
    run_two_of(_RANK, tmp_path, tmp_path)
    shown = [[int(item) for item in (tmp_path / f"shown-{rank}").read_text().split()] for rank in range(2)]
    assert all(shown)
    assert sorted(shown[0] + shown[1]) == list(range(23))
    alone = predict(convolutions(), all_outputs(), Drawn(), INLINE)
    for rank in range(2):
        found = np.load(tmp_path / f"rank-{rank}.npz")
        assert np.array_equal(found["predicted"], alone.predicted)
        np.testing.assert_allclose(found["probability"], alone.probability, rtol=1e-5)


def test_an_item_of_no_class_is_left_out_even_if_the_answer_is_no_class():
    class Unlabelled(Drawn):
        @property
        def labels(self):
            return np.where(np.arange(self.count) % 4 == 0, -1, super().labels)

    answers = predict(brightness(), LabelMap(np.full(3, -1, np.int32)), Unlabelled(), INLINE)
    found = answers.paired("original")
    assert found.left_out == {"the class is not known": 6}
    assert not found.correct.any()


class Shared(torch.nn.Module):
    """Answers once for the whole batch, which would be taken for the answer to each image."""

    def forward(self, images):
        return images.mean((0, 2, 3), keepdim=True)[:, :, 0, 0]


def test_one_answer_for_many_images_is_refused():
    classifier = Classifier(name="shared", revision="", network=Shared(), preprocessing=SMALL)
    with pytest.raises(
        ConfigurationError,
        match=r"shared does not answer with logits; found Tensor .1, 3.; allowed: a tensor of 16 x classes",
    ):
        predict(classifier, all_outputs(), Drawn(), INLINE)
