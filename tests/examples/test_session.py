"""Whole runs in this process: what they leave, and what a base, an adapter and an average have to do with it."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from fornet_hf.adapters import merge, restore  # noqa: E402
from fornet_hf.errors import ConfigurationError, NotFoundError  # noqa: E402
from fornet_hf.evaluation import load  # noqa: E402
from fornet_hf.evaluation.models import pretrained  # noqa: E402
from tests.torchvision_shim import import_torchvision  # noqa: E402
from training.model import build_model, tiny  # noqa: E402
from training.options import configured  # noqa: E402
from training.session import train  # noqa: E402

QUICK = {
    "model": "tiny",
    "size": 16,
    "batch_size": 8,
    "workers": 0,
    "precision": "fp32",
    "warmup_epochs": 0,
    "lr": 0.01,
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A variant of ImageNet-9 with two classes, of red and of green images; others are beside it."""
    try:
        import_torchvision()
    except ImportError:
        pytest.skip("needs torchvision")
    tree, rng = tmp_path_factory.mktemp("in9"), np.random.default_rng(0)
    root = tree / "mixed_rand"
    for split in ("train", "val"):
        for number, name in enumerate(("00_dog", "01_bird")):
            (root / split / name).mkdir(parents=True)
            for index in range(12):
                pixels = rng.integers(0, 120, (20, 24, 3), np.uint8)
                pixels[..., number] += 130
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    for name in ("original", "mixed_same"):
        shutil.copytree(root, tree / name)
    return root


@pytest.fixture(scope="module")
def runs(images, tmp_path_factory):
    """Does a run, or goes on with one; with `seed` and so on."""
    root = tmp_path_factory.mktemp("runs")

    def do(name, **values):
        config = configured({**QUICK, "images": str(images), "epochs": 3, "out": str(root / name)}, values)
        return root / name, train(config)

    return do


@pytest.fixture(scope="module")
def base(runs):
    return runs("base")[0]


TUNED = {"tune": "oft", "adapter": {"blocks": 3}, "epochs": 2}


def test_images_in_class_folders_are_learnt(base):
    last = json.loads((base / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["images"]["top1"] == 1.0


def test_weights_are_those_of_the_network_and_are_evaluated_by_name(base, images):
    network = load(f"training.model:tiny={base / 'weights.safetensors'}").network
    state = torch.load(base / "checkpoint.pt", weights_only=True)["model"]
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("kind", [{"tune": "oft", "adapter": {"blocks": 3}}, {"tune": "head"}, {"tune": "full"}])
def test_a_tuned_network_is_left_as_adapter_and_merged(kind, runs, base):
    folder, row = runs(kind["tune"], weights=str(base), epochs=1, **kind)
    assert row["tune"] == kind["tune"]
    merged = load(f"training.model:tiny={folder / 'weights.safetensors'}").network
    adapted = merge(restore(pretrained(f"training.model:tiny={base / 'weights.safetensors'}", 2), folder / "adapter"))
    by_name = load(f"training.model:tiny={folder / 'adapter'}").network
    for name, tensor in merged.state_dict().items():
        assert torch.allclose(tensor, adapted.state_dict()[name], atol=1e-6)
        assert torch.allclose(tensor, by_name.state_dict()[name], atol=1e-6)
    before = load(f"training.model:tiny={base / 'weights.safetensors'}").network.state_dict()
    changed = {name for name, tensor in merged.state_dict().items() if not torch.equal(tensor, before[name])}
    assert ("0.weight" in changed) == (kind["tune"] != "head")
    assert "11.weight" in changed


def test_a_tuned_run_with_an_average_goes_on_as_if_it_had_not_stopped(runs, base):
    values = {**TUNED, "weights": str(base), "ema": 0.9, "schedule": "plateau", "patience": 0}
    whole, _ = runs("whole", **values)
    assert runs("parts", **values, stop_after=1)[1] == {}
    parts, _ = runs("parts", **values)
    one, other = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (whole, parts))
    assert one["schedule"] == other["schedule"]
    assert "0.parametrizations.weight.original" in one["model"]
    for name in ("model", "model_ema"):
        assert all(torch.equal(other[name][key], tensor) for key, tensor in one[name].items())
    assert any(not torch.equal(one["model_ema"][f"module.{key}"], tensor) for key, tensor in one["model"].items())
    found, wanted = (
        load(f"training.model:tiny={folder / 'weights.safetensors'}").network for folder in (parts, whole)
    )
    assert all(map(torch.equal, found.state_dict().values(), wanted.state_dict().values()))


def test_the_average_is_evaluated_beside_and_is_what_remains(runs, base):
    folder, row = runs("averaged", ema=0.9, epochs=1)
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    kept = load(f"training.model:tiny={folder / 'weights.safetensors'}").network.state_dict()
    assert state["model_ema"]["n_averaged"] == 3  # steps
    assert all(torch.equal(state["model_ema"][f"module.{name}"], tensor) for name, tensor in kept.items())
    assert any(not torch.equal(state["model"][name], tensor) for name, tensor in kept.items())
    assert {"top1 images", "average top1 images"} <= row.keys()


def test_measures_are_in_a_report_and_in_the_row_of_the_table(runs, base):
    folder, row = runs("measured", measures=["accuracy"], epochs=1)
    assert (folder / "report" / "report.html").is_file()
    assert row["accuracy original"] == pytest.approx(row["top1 images"])
    with (folder.parent / "results.csv").open() as file:
        rows = {one["run"]: one for one in csv.DictReader(file)}
    assert float(rows["measured"]["accuracy original"]) == row["accuracy original"]
    assert rows["base"]["accuracy original"] == ""
    assert rows["measured"]["configuration"] != rows["base"]["configuration"]


def test_variants_of_imagenet9_give_a_gap(runs, images, base):
    _, row = runs("in9", measures=["in9"], measure_on=str(images.parent), weights=str(base), epochs=1)
    assert row["bg_gap"] == row["accuracy mixed_same"] - row["accuracy mixed_rand"] == 0
    assert row["accuracy original"] == 1
    assert (row["measures"], row["measured_on"]) == ("in9", str(images.parent))


def test_seeds_share_a_configuration(runs):
    rows = [runs(f"seed{seed}", seed=seed, epochs=1)[1] for seed in (0, 1)]
    assert rows[0]["configuration"] == rows[1]["configuration"]
    assert [row["seed"] for row in rows] == [0, 1]


def test_runs_whose_bases_differ_in_the_seed_alone_share_a_configuration(runs):
    bases = [
        runs(f"base{number}", seed=seed, epochs=epochs)
        for number, (seed, epochs) in enumerate([(0, 1), (1, 1), (0, 2)])
    ]
    tuned = [runs(f"of_base{folder.name}", **TUNED, weights=str(folder))[1] for folder, _ in bases]
    one, other, longer = (row["configuration"] for row in tuned)
    assert one == other != longer


def test_a_finished_run_says_so_and_gives_its_row_again(runs, base):
    said, stored = [], json.loads((base / "config.json").read_text())
    row = train(configured(stored), said.append)
    assert len(said) == 1
    assert said[0].startswith("nothing is left to do")
    assert (row["run"], row["trainable"]) == ("base", sum(one.numel() for one in tiny(2).parameters()))
    assert "accuracy original" in train(configured(stored, {"measures": ["accuracy"]}))


def test_figures_are_written_for_tensorboard(runs):
    pytest.importorskip("tensorboard")
    folder, _ = runs("board", tensorboard=True, epochs=1)
    assert list((folder / "tensorboard").glob("events.*"))


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"tune": "oft"}, ConfigurationError, "tiny has no pretrained weights"),
        ({"tune": "oft", "weights": "nowhere"}, NotFoundError, "no checkpoint nowhere"),
        ({"tune": "oft", "weights": "WEIGHTS", "adapter": {"speed": 1}}, ConfigurationError, "speed"),
        ({"weights": "WEIGHTS", "model": "preact_resnet18"}, ConfigurationError, "does not fit the network"),
    ],
)
def test_what_cannot_be_tuned_is_named(values, error, said, base):
    values = {name: str(base) if value == "WEIGHTS" else value for name, value in values.items()}
    with pytest.raises(error, match=said):
        build_model(configured(QUICK, values), 2)
