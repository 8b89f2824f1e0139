"""The planted bias: what is drawn is what was asked for, and the whole experiment runs."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

import plant_bias  # noqa: E402
from fornet_hf.files import write_text  # noqa: E402
from planted_bias import prepare  # noqa: E402
from planted_bias.draw import CLASSES, PLACES, SHARES, SIDE, Planted, draw_image  # noqa: E402
from planted_bias.figure import figure  # noqa: E402
from planted_bias.network import INPUT, small  # noqa: E402
from planted_bias.outcome import ARMS, MEASURES, Run, table  # noqa: E402


def drawn(label, planted, count=20):
    return [draw_image(label, planted, np.random.default_rng(number)) for number in range(count)]


def middles(label, planted):
    boxes = np.array([box for _, box in drawn(label, planted)]) / SIDE
    return (boxes[:, :2] + boxes[:, 2:]) / 2


@pytest.mark.parametrize("label", range(len(CLASSES)))
def test_a_planted_position_is_the_own_one_of_the_class(label):
    # large objects do not fit where small ones are, so this is about the usual one
    usual = np.median(middles(label, Planted(position=1)), axis=0)
    assert np.abs(usual - PLACES[label]).max() < 0.1


def test_without_a_planted_position_it_is_any():
    assert middles(0, Planted()).std() > 5 * middles(0, Planted(position=1)).std()


def test_planted_sizes_tell_the_classes_apart():
    areas = [
        np.mean([(x1 - x0) * (y1 - y0) for _, (x0, y0, x1, y1) in drawn(label, Planted(size=1))])
        for label in range(len(CLASSES))
    ]
    assert areas[0] < areas[2] < areas[-1]
    assert list(SHARES) == sorted(SHARES)


def test_boxes_hold_the_object_and_a_set_is_the_same_again():
    (image, box), (again, _) = (draw_image(2, Planted(), np.random.default_rng(3)) for _ in range(2))
    assert image.size == (SIDE, SIDE)
    assert image.tobytes() == again.tobytes()
    assert 0 <= box[0] < box[2] <= SIDE
    assert 0 <= box[1] < box[3] <= SIDE


def test_the_network_knows_places():
    images = torch.zeros(1, 3, INPUT, INPUT)
    images[..., :20, :20] = 1
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = small().eval()
        assert not torch.allclose(network(images), network(images.flip(3)))


RUNS = [
    Run("size", arm, seed, dict.fromkeys(MEASURES, value + seed))
    for arm, value in zip(ARMS, (0.0, 1.0), strict=True)
    for seed in range(3)
]


def test_the_figure_has_a_row_for_each_training():
    assert table(RUNS).count("\n") == 1 + len(ARMS)
    assert figure(RUNS).size[1] < figure([*RUNS, Run("position", "ForNet", 0, dict.fromkeys(MEASURES, 0.5))]).size[1]


def test_the_experiment_runs(tmp_path, capfd):
    words = [str(tmp_path), "--planted", "size", "--seeds", "1", "--epochs", "1", "--train", "10", "--val", "4"]
    assert plant_bias.main(words) == 0
    assert "| size | ForNet |" in capfd.readouterr().out
    runs = json.loads((tmp_path / "results.json").read_text())
    assert [run["arm"] for run in runs] == list(ARMS)
    assert all(0 <= run["values"]["accuracy"] <= 1 for run in runs)
    with Image.open(tmp_path / "figure.png") as page:
        assert page.width > 500
    assert (tmp_path / "size" / "report" / "report.html").is_file()


def test_images_that_were_drawn_otherwise_are_refused(tmp_path, capfd):
    write_text(tmp_path / "size" / "set.json", json.dumps({**asdict(Planted(size=0.5)), "train": 11, "val": 4}))
    words = [str(tmp_path), "--planted", "size", "--seeds", "1", "--epochs", "1", "--train", "11", "--val", "4"]
    assert plant_bias.main(words) == 1
    assert "has other images" in capfd.readouterr().err
    assert not (tmp_path / "size" / "set").exists()


def test_a_network_of_other_epochs_is_trained_anew(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(plant_bias, "prepare", lambda *_: {"train": None, "validation": None})
    monkeypatch.setattr(plant_bias, "train", lambda _, weights, **__: trained.append(weights))
    monkeypatch.setattr(plant_bias, "classifier", lambda name, _: SimpleNamespace(name=name))
    monkeypatch.setattr(
        plant_bias, "evaluate", lambda *_, **__: SimpleNamespace(value=lambda *_: SimpleNamespace(value=0.0))
    )
    for epochs in (1, 2):
        plant_bias.experiment(tmp_path, "size", 0.9, {}, seeds=1, epochs=epochs)
    assert len({*trained}) == 2 * len(ARMS)


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("seeds", "0", "1 or more"),
        ("epochs", "0", "1 or more"),
        ("train", "0", "1 or more"),
        ("degree", "1.5", "0 to 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_drawn(option, value, allowed, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(prepare, "draw_set", lambda *_: pytest.fail("was drawn"))
    assert plant_bias.main([str(tmp_path / "out"), f"--{option}", value]) == 1
    assert capfd.readouterr().err.endswith(f"is not allowed; found {value}; allowed: {allowed}\n")
    assert not (tmp_path / "out").exists()
