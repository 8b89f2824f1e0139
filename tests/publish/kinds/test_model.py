"""`build/publish.py --kind model`: weights in safetensors, with a card; nothing else of a training's folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from fornet_hf.evaluation.results.model_index import write_headers
from fornet_hf.release.verify import card_header
from tests.evaluation.results.test_model_index import ORIGIN, VALUES, results
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub
from tests.publish.conftest import TOKEN
from tests.publish.weights import write_weights

pytestmark = uploads
NAME = "TNauen/weights"
MODEL = ("--kind", "model", "--create", "public")


@pytest.fixture
def segmenter(tmp_path: Path) -> Path:
    """What train_segmenter.py leaves."""
    card = {
        "format": 1,
        "network": {"encoder": "resnet34"},
        "side": 128,
        "trained": {
            "preset": "paper",
            "encoder_weights": "imagenet",
            "train": [["/home/me/birds", "/home/me/run"]],
            "scores": {"iou": 0.75},
        },
    }
    folder = tmp_path / "unet"
    write_weights(folder / "segmenter.safetensors", {"fornet_segmenter": json.dumps(card)})
    for name in ("checkpoint.pt", "sheets/step-000010.png", "pairs/0.npy", "log.jsonl"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "adapter"
    write_weights(folder / "adapter.safetensors")
    settings = {"format": 1, "settings": {"kind": "lora", "rank": 4}, "base": "../base/weights.safetensors"}
    (folder / "adapter.json").write_text(json.dumps(settings))
    return folder


def published(hub: Hub) -> dict[str, bytes]:
    return hub.files(NAME, kind="models")


def test_a_segmenter_arrives_with_its_card_and_without_checkpoint_and_images(
    run: Callable[..., int], hub: Hub, segmenter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(segmenter, *MODEL, "--tag", "v1", name=NAME) == 0
    found = published(hub)
    assert set(found) == {"README.md", "segmenter.safetensors"}
    assert found["segmenter.safetensors"] == (segmenter / "segmenter.safetensors").read_bytes()
    card = found["README.md"].decode()
    header = card_header(card)
    assert (header["license"], header["pipeline_tag"]) == ("other", "image-segmentation")
    for text in (
        "--segmenter unet=weights/segmenter.safetensors",
        "| `trained.scores.iou` | 0.75 |",
        "| `trained.train` | birds, run |",
        "7 numbers, F32, I64",
        "https://www.image-net.org/download.php",
        "made from `resnet34`",
    ):
        assert text in card
    assert "/home/me" not in card
    assert "left out: checkpoint.pt, log.jsonl" in capsys.readouterr().err
    assert hub.repo(NAME, "models").tags == {"v1": hub.head(NAME, kind="models")}


def test_the_same_weights_again_change_nothing(run: Callable[..., int], hub: Hub, segmenter: Path) -> None:
    assert run(segmenter, *MODEL, name=NAME) == 0
    head = hub.head(NAME, kind="models")
    assert run(segmenter, *MODEL, name=NAME) == 0
    assert hub.head(NAME, kind="models") == head


def test_other_weights_take_the_place_of_the_first(
    run: Callable[..., int], hub: Hub, segmenter: Path, adapter: Path
) -> None:
    assert run(segmenter, *MODEL, name=NAME) == 0
    assert run(adapter, *MODEL, name=NAME) == 0
    assert set(published(hub)) == {"README.md", "adapter.json", "adapter.safetensors"}


def test_an_adapter_names_its_base_and_licence(
    run: Callable[..., int], hub: Hub, adapter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--base-model", "timm/resnet50.a1_in1k", "--license", "apache-2.0", "--dry-run")
    card = adapter / "card.md"
    assert run(adapter, *MODEL, *options, "--card", str(card), name=NAME) == 0
    assert ("models", NAME) not in hub.repositories
    assert "it was tuned on ../base/weights.safetensors" in capsys.readouterr().err
    text = card.read_text()
    header = card_header(text)
    assert (header["base_model"], header["license"]) == ("timm/resnet50.a1_in1k", "apache-2.0")
    assert "| `settings.rank` | 4 |" in text
    assert "fornet evaluate timm:resnet50.a1_in1k=weights DATA" in text


def test_a_run_of_training_gives_its_weights_with_results_and_keeps_its_paths(
    run: Callable[..., int], hub: Hub, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    write_weights(folder / "weights.safetensors")
    (folder / "config.json").write_text(json.dumps({"model": "timm:resnet50", "out": "/home/me/run", "epochs": 3}))
    (folder / "row.json").write_text(json.dumps({"model": "timm:resnet50", "accuracy all": 0.625}))
    index = folder / "report" / "model_index" / "run.md"
    index.parent.mkdir(parents=True)
    metric = {"name": "accuracy, all", "type": "accuracy", "value": 0.5, "args": {"interval_95": [0.25, 0.75]}}
    result = {"dataset": {"name": "demo", "split": "validation"}, "metrics": [metric]}
    index.write_text(f"---\nmodel-index: {json.dumps([{'name': 'run', 'results': [result]}])}\n---\n")
    assert run(folder, *MODEL, name=NAME) == 0
    found = published(hub)
    assert set(found) == {"README.md", "weights.safetensors"}
    card = found["README.md"].decode()
    assert card_header(card)["model-index"][0]["results"][0]["metrics"] == [metric]
    assert "| accuracy, all | 0.5 | 0.25 to 0.75 | demo | validation |" in card
    assert "fornet evaluate timm:resnet50=weights/weights.safetensors DATA" in card
    assert "| `accuracy all` | 0.625 |" in card
    assert "It was made from" not in card
    assert "/home/me" not in card
    (index.parent / "other.md").write_text(index.read_text())
    assert run(folder, *MODEL, name=NAME) == 1
    assert run(folder, *MODEL, "--model-index", str(index), name=NAME) == 0


@pytest.mark.parametrize(
    ("record", "base"),
    [
        ({"weights": "pretrained"}, "timm:resnet50"),
        ({"weights": None, "tune": "lora"}, "timm:resnet50"),
        ({"weights": "/home/me/base.safetensors", "tune": "none"}, "base.safetensors"),
        ({"weights": "runs/base", "tune": "none"}, "base"),
    ],
)
def test_a_run_says_what_it_began_with(run: Callable[..., int], tmp_path: Path, record: dict, base: str) -> None:
    folder, card = tmp_path / "run", tmp_path / "card.md"
    write_weights(folder / "weights.safetensors")
    (folder / "config.json").write_text(json.dumps({"model": "timm:resnet50", **record}))
    assert run(folder, *MODEL, "--dry-run", "--card", str(card), name=NAME) == 0
    assert f"It was made from `{base}`." in card.read_text()
    assert "base_model" not in card_header(card.read_text(), card)  # on the Hub runs/base is somebody's model


def test_the_header_of_an_evaluation_goes_into_the_card(
    run: Callable[..., int], hub: Hub, segmenter: Path, tmp_path: Path
) -> None:
    numbers = results(*((ORIGIN, value) for value in VALUES))
    (path,) = write_headers(tmp_path, numbers)
    assert run(segmenter, *MODEL, "--model-index", str(path), name=NAME) == 0
    card = published(hub)["README.md"].decode()
    assert [one.metric_value for one in ModelCard(card).data.eval_results] == [0.75, 0.9]
    assert "| accuracy, original | 0.75 | 0.7 to 0.8 | TNauen/ForNet | validation |" in card
    assert "| background robustness | 0.9 |  | TNauen/ForNet | validation |" in card


def test_pickles_are_refused_with_the_next_step(
    run: Callable[..., int], hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"PK")
    for place in (tmp_path, tmp_path / "checkpoint.pt"):
        assert run(place, *MODEL, name=NAME) == 1
        error = capsys.readouterr().err
        assert "pickles are not published" in error
        assert "safetensors.torch.save_file" in error
    assert ("models", NAME) not in hub.repositories


def cut_off(folder: Path) -> str:
    path = folder / "segmenter.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return "not a whole file of weights"


def another_file(folder: Path) -> str:
    (folder / "segmenter.safetensors").write_bytes(b"\x80\x02}q\x00.")
    return "no header of safetensors"


def a_token_in_the_header(folder: Path) -> str:
    write_weights(folder / "segmenter.safetensors", {"fornet_segmenter": json.dumps({"trained": {"login": TOKEN}})})
    return "looks like an access token"


def a_token_that_no_card_shows(folder: Path) -> str:
    write_weights(folder / "segmenter.safetensors", {"made_by": TOKEN})
    return "looks like an access token"


def a_broken_card(folder: Path) -> str:
    write_weights(folder / "segmenter.safetensors", {"fornet_segmenter": "{"})
    return "not valid JSON"


def several(folder: Path) -> str:
    write_weights(folder / "other.safetensors")
    return "several files of weights"


def none(folder: Path) -> str:
    for path in [*folder.rglob("*.*")]:
        path.unlink()
    return "no weights"


@pytest.mark.parametrize(
    "broken", [cut_off, another_file, a_token_in_the_header, a_token_that_no_card_shows, a_broken_card, several, none]
)
def test_weights_that_are_not_sound_are_not_published(
    run: Callable[..., int], hub: Hub, segmenter: Path, capsys: pytest.CaptureFixture[str], broken: Callable
) -> None:
    expected = broken(segmenter)
    assert run(segmenter, *MODEL, name=NAME) == 1
    error = capsys.readouterr().err
    assert expected in error
    assert TOKEN not in error
    assert ("models", NAME) not in hub.repositories


def test_options_of_other_kinds_are_refused(
    run: Callable[..., int], segmenter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(segmenter, *MODEL, "--without-images", name=NAME) == 1
    assert "--without-images; allowed: with --kind results" in capsys.readouterr().err
    assert run(segmenter, "--license", "mit", name=NAME) == 1
    assert "--license; allowed: with --kind model or results" in capsys.readouterr().err


def test_weights_can_be_restored(run: Callable[..., int], hub: Hub, segmenter: Path, adapter: Path) -> None:
    import publish

    assert run(segmenter, *MODEL, "--tag", "v1", name=NAME) == 0
    assert run(adapter, *MODEL, name=NAME) == 0
    assert publish.main([NAME, "--kind", "model", "--restore", "v1"]) == 0
    assert hub.files(NAME, "v1", "models") == published(hub)


def test_files_of_the_trainings_are_known_by_their_cards(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from fornet_hf.publish.kinds.weights import GENERATOR, SEGMENTER, find_weights
    from producers.layers.networks.card import GeneratorCard, LayerSpec
    from producers.layers.networks.files import write_generator
    from producers.segment.networks.card import Card, NetworkSpec
    from producers.segment.networks.files import write_segmenter

    write_segmenter(tmp_path / "a.safetensors", torch.nn.Linear(2, 3), Card(network=NetworkSpec(), side=128))
    write_generator(tmp_path / "b.safetensors", torch.nn.Linear(2, 3), GeneratorCard(network=LayerSpec()))
    one, two = (find_weights(tmp_path / f"{name}.safetensors") for name in "ab")
    assert (one.form, two.form) == (SEGMENTER, GENERATOR)
    assert [header.parameters for header in one.headers.values()] == [9]
    assert [*two.files] == ["generator.safetensors"]


def test_adapters_are_known_as_they_are_saved(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from fornet_hf import adapters
    from fornet_hf.publish.kinds.weights import ADAPTER, find_weights

    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4), torch.nn.Linear(4, 2))
    config = adapters.AdapterConfig(kind="head", head=["2"])
    adapters.save(adapters.tune(network, config), config, tmp_path / "adapter")
    found = find_weights(tmp_path / "adapter")
    assert (found.form, set(found.files)) == (ADAPTER, {"adapter.json", "adapter.safetensors"})
    assert found.headers["adapter.safetensors"].parameters == 10
    assert found.facts["settings"]["kind"] == "head"
