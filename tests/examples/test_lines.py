import pytest

torch = pytest.importorskip("torch")

from training.config import TrainConfig  # noqa: E402
from training.lines import Lines, duration  # noqa: E402
from training.processes import Place  # noqa: E402


def lines(**values):
    return Lines(TrainConfig(out="runs/x", evaluate=("original", "all"), **values), Place(0, 8, 0))


def test_an_epoch_is_a_line_and_the_time_left_follows_the_mean_of_epochs():
    figures = {"train_loss": 1.2345, "images_per_second": 1234.5, "original": {"top1": 0.6125}, "all": {"top1": 0.5}}
    run = lines(epochs=300)
    run.epoch(0, {**figures, "seconds": 100.0})
    assert run.epoch(1, {**figures, "seconds": 80.0}) == (
        "epoch   2/300  loss 1.234  accuracy original 61.3%, all 50.0%  1,234 images/s  7 h 27 min left  8 x CPU"
    )


def test_an_epoch_without_evaluation_has_no_accuracy():
    line = lines(epochs=2).epoch(0, {"train_loss": 1.0, "images_per_second": 10.0, "seconds": 70.4})
    assert line == "epoch 1/2  loss 1.000  10 images/s  1 min 10 s left  8 x CPU"


def test_a_run_says_where_it_begins():
    run = lines(epochs=3)
    assert run.start(0, 25, 5) == "3 epochs of 25 images, 5 classes; log: runs/x/metrics.jsonl"
    assert run.start(2, 25, 5).startswith("3 epochs of 25 images, 5 classes, after 2 epochs that are done")
    assert run.start(3, 25, 5) == "nothing is left to do: runs/x/metrics.jsonl has all 3 epochs"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59.6, "1 min 00 s"), (3600, "1 h 00 min"), (12, "12 s")])
def test_times_are_in_their_two_largest_units(seconds, text):
    assert duration(seconds) == text
