"""`build/publish.py --kind results`: numbers and pages, without images that must not be passed on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fornet_hf.release.verify import card_header
from tests.images import file_of, made_image
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub
from tests.publish.conftest import TOKEN

pytestmark = uploads
NAME = "TNauen/results"
RESULTS = ("--kind", "results", "--create", "public")
HEAD = "model,data,measure,part,value,low,high"
SEEN = {"examples/0a1b.jpg", "examples/examples.json", "report.html"}
NUMBERS = {"results.csv", "results.json", "plots/gap.svg", "model_index/m.md"}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A folder as `fornet evaluate` writes it, of images that are not ImageNet's."""
    folder = tmp_path / "report"
    image = file_of(made_image(8, 8))
    files = {
        "results.csv": f"{HEAD}\nm,demo,accuracy,all,0.5,0.25,0.75\nm,demo,x,class a,1,,\n",
        "results.json": "{}",
        "plots/gap.svg": "<svg><rect/></svg>",
        "model_index/m.md": "---\nmodel-index: []\n---\n",
        "examples/examples.json": json.dumps([{"key": "coffee_0", "image": "0a1b.jpg"}]),
        "report.html": f'<img src="data:image/jpeg;base64,{base64.b64encode(image).decode()}"> coffee_0',
        "checkpoint.pt": "PK",
        ".cache/answers.json": "{}",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "examples" / "0a1b.jpg").write_bytes(image)
    return folder


def published(hub: Hub) -> set[str]:
    return set(hub.files(NAME)) - {"README.md"}


def test_pages_with_images_need_a_word(
    run: Callable[..., int], hub: Hub, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(report, *RESULTS, name=NAME) == 1
    error = capsys.readouterr().err
    assert "images are not published without your word; found 2 files with images" in error
    assert "--images-may-be-published" in error
    assert "--without-images" in error
    assert ("datasets", NAME) not in hub.repositories
    assert run(report, *RESULTS, "--images-may-be-published", name=NAME) == 0
    assert published(hub) == NUMBERS | SEEN


def test_numbers_go_without_images_and_take_published_ones_back(
    run: Callable[..., int], hub: Hub, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(report, *RESULTS, "--images-may-be-published", name=NAME) == 0
    assert run(report, *RESULTS, "--without-images", "--tag", "v1", name=NAME) == 0
    assert published(hub) == NUMBERS
    assert hub.repo(NAME).tags == {"v1": hub.head(NAME)}
    assert "checkpoint.pt" in capsys.readouterr().err


def test_the_card_shows_numbers_and_the_viewer_the_table(run: Callable[..., int], hub: Hub, report: Path) -> None:
    assert run(report, *RESULTS, "--without-images", name=NAME) == 0
    card = hub.files(NAME)["README.md"].decode()
    header = card_header(card)
    assert header["configs"] == [{"config_name": "default", "data_files": "results.csv"}]
    assert header["license"] == "cc-by-4.0"
    assert "| m | demo | accuracy | all | 0.5 | 0.25 to 0.75 |" in card
    assert "class a" not in card
    assert f"hf://datasets/{NAME}/results.csv" in card


def test_a_table_with_a_row_for_each_run_is_shown_as_it_is(run: Callable[..., int], hub: Hub, report: Path) -> None:
    (report / "results.csv").write_text("run,model,top1 all\nlora,timm:resnet50,0.512345\nhead,timm:resnet50,\n")
    assert run(report, *RESULTS, "--without-images", name=NAME) == 0
    card = hub.files(NAME)["README.md"].decode()
    assert "| run | model | top1 all |" in card
    assert "| lora | timm:resnet50 | 0.5123 |" in card
    assert "| head | timm:resnet50 |  |" in card


@pytest.mark.parametrize("where", ["examples/examples.json", "report.html"])
def test_images_beside_keys_of_imagenet_are_refused_whatever_the_word(
    run: Callable[..., int], hub: Hub, report: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    path = report / where
    path.write_text(path.read_text().replace("coffee_0", "n01440764_10026"))
    assert run(report, *RESULTS, "--images-may-be-published", name=NAME) == 1
    assert "its terms forbid passing them on" in capsys.readouterr().err
    assert run(report, *RESULTS, "--without-images", name=NAME) == 0
    assert published(hub) == NUMBERS


def test_numbers_of_imagenet_may_go(run: Callable[..., int], hub: Hub, report: Path) -> None:
    (report / "challenge.csv").write_text("key,background\nn01440764_10026,n01440764_10027\n")
    assert run(report, *RESULTS, "--without-images", name=NAME) == 0
    assert "challenge.csv" in published(hub)


def test_tokens_are_found(
    run: Callable[..., int], hub: Hub, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (report / "results.json").write_text(json.dumps({"command": f"fornet evaluate --token {TOKEN}"}))
    assert run(report, *RESULTS, "--without-images", name=NAME) == 1
    error = capsys.readouterr().err
    assert "results.json, line 1: this looks like an access token" in error
    assert TOKEN not in error


def test_a_folder_without_results_is_told(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, *RESULTS, name=NAME) == 1
    assert "no results" in capsys.readouterr().err
    assert run(tmp_path / "nowhere", *RESULTS, name=NAME) == 1
    assert "the folder of results is missing" in capsys.readouterr().err
